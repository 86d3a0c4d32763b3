"""Cosine similarity that does not depend on where a vector lives."""

from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.int64]
Matrix = NDArray[np.float32]
Scores = NDArray[np.float64]

_ROWS_AT_ONCE = 4096


def as_query(vector: NDArray[np.floating], dimension: int) -> Matrix:
    """The query as a contiguous float32 vector of length `dimension`.

    Raises ValueError for another shape or numbers that are not finite.
    """
    query = np.ascontiguousarray(vector, dtype=np.float32)
    if query.shape != (dimension,):
        raise ValueError(f"a query has the shape ({dimension},), not {query.shape}")
    if not np.isfinite(query).all():
        raise ValueError("a query holds only finite numbers")
    return query


def similarities(rows: Matrix, query: Matrix) -> Scores:
    """Inner products of unit rows (n, d) with a query (d,): cosines, float64, shape (n,).

    Products of float32 are exact in float64 and every row is summed by itself in one order, so that equal
    vectors score equally to the last bit, wherever they are stored and whatever lies beside them. A matrix
    product does not promise that.
    """
    scores = np.empty(len(rows), dtype=np.float64)
    wide = query.astype(np.float64)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = np.ascontiguousarray(rows[start : start + _ROWS_AT_ONCE], dtype=np.float64)
        scores[start : start + len(part)] = (part * wide).sum(axis=1)
    return scores


def inner_products(rows: Matrix, query: Matrix) -> Matrix:
    """Inner products of rows (n, d) with a query (d,) in float32, shape (n,), by FAISS: fast, in no fixed order.

    Not a matrix product of NumPy's: OpenBLAS's idle threads spin on and take the processor from other requests.
    """
    products = np.empty(len(rows), dtype=np.float32)
    if len(rows):
        pointers = [faiss.swig_ptr(array) for array in (products, query, rows)]
        library: Any = faiss  # its stubs leave this function out
        library.fvec_inner_products_ny(*pointers, len(query), len(rows))
    return products


def rounding_bound(query: Matrix) -> float:
    """How far a float32 inner product of a unit row with `query` can be from the exact one.

    Higham, Accuracy and Stability of Numerical Algorithms, section 3.1: at most n u / (1 - n u) times the
    product of the norms, in whatever order the terms are added; two per cent on top for rows that are unit
    only as far as float32 allows.
    """
    terms = len(query) * 2.0**-24
    return 1.02 * terms / (1 - terms) * float(np.linalg.norm(query.astype(np.float64)))
