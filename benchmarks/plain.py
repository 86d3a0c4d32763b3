"""The peer: the plain script everyone writes, and the same behind FastAPI.

sentence-transformers in float32 with batches of 32, `query: ` and `passage: ` prompts, a flat FAISS index, texts and
ids in memory, no database. It reads the bundled model from its unpacked folder, an ordinary sentence-transformers one.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

BATCH = 32


def load_model(folder: str) -> Any:
    """The model, in float32 on the CPU."""
    return SentenceTransformer(folder, device="cpu")


def encode(model: Any, texts: list[str], prompt: str) -> NDArray[np.float32]:
    """Unit vectors, shape (len(texts), dimension); long texts are truncated by the model."""
    vectors: NDArray[np.float32] = model.encode(
        [prompt + text for text in texts], batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
    )
    return vectors


def index(file: Path, model_folder: str, folder: Path) -> None:
    """From a file to a searchable index: read, encode, add, write."""
    ids, texts = [], []
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            ids.append(row.get("external_id") or row["_id"])
            parts = row.get("title"), row.get("description") or row.get("text")
            texts.append("\n".join(part for part in parts if part))
    vectors = encode(load_model(model_folder), texts, "passage: ")
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    folder.mkdir(parents=True, exist_ok=True)
    faiss.write_index(flat, str(folder / "seeds.faiss"))
    (folder / "ids.json").write_text(json.dumps(ids), encoding="utf-8")


def serve(folder: Path, model_folder: str, port: int) -> None:
    """Serve POST /match on 127.0.0.1 over an index written by `index`."""
    import uvicorn
    from fastapi import FastAPI
    from pydantic import BaseModel

    model = load_model(model_folder)
    flat = faiss.read_index(str(folder / "seeds.faiss"))
    ids = json.loads((folder / "ids.json").read_text(encoding="utf-8"))

    class Query(BaseModel):
        text: str
        limit: int = 20

    class Hit(BaseModel):
        id: str
        score: float

    app = FastAPI()

    @app.post("/match")
    def match(query: Query) -> list[Hit]:
        scores, rows = flat.search(encode(model, [query.text], "query: "), query.limit)
        return [Hit(id=ids[row], score=score) for row, score in zip(rows[0], scores[0], strict=True)]

    uvicorn.run(app, host="127.0.0.1", port=port, access_log=False, log_level="warning", server_header=False)


def main() -> None:
    """Run `index FILE MODEL FOLDER` or `serve FOLDER MODEL PORT`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plain", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    indexing = commands.add_parser("index", help="encode a JSON Lines file and write a flat index")
    indexing.add_argument("file", type=Path)
    indexing.add_argument("model")
    indexing.add_argument("folder", type=Path)
    serving = commands.add_parser("serve", help="serve POST /match over a written index")
    serving.add_argument("folder", type=Path)
    serving.add_argument("model")
    serving.add_argument("port", type=int)
    given = parser.parse_args()
    if given.command == "index":
        index(given.file, given.model, given.folder)
    else:
        serve(given.folder, given.model, given.port)


if __name__ == "__main__":
    main()
