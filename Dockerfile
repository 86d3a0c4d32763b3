# The service with its bundled model. Two stages: what builds does not stay.
#   docker build --tag enmusubi --build-arg TORCH_INDEX=… .
FROM python:3.12-slim AS build

# A package index with torch's CPU build. Without it the default index is used, whose x86-64 build brings GPU libraries.
ARG TORCH_INDEX=""

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/enmusubi
WORKDIR /source
# Files of known hashes. torch comes after them, so that what it needs is there already; its layer is kept while they stay as they are.
COPY requirements.lock ./
RUN /opt/enmusubi/bin/pip install --no-deps --require-hashes -r requirements.lock
RUN /opt/enmusubi/bin/pip install ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch==2.13.0

COPY pyproject.toml README.md LICENSE ./
COPY enmusubi ./enmusubi
RUN /opt/enmusubi/bin/pip install --no-deps --no-build-isolation . && /opt/enmusubi/bin/pip check


FROM python:3.12-slim

RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin enmusubi \
    && install --directory --owner=enmusubi --mode=0700 /data
COPY --from=build /opt/enmusubi /opt/enmusubi

ENV PATH="/opt/enmusubi/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    ENMUSUBI_HOME=/data
USER enmusubi
WORKDIR /data
VOLUME /data
EXPOSE 8000

# urlopen raises, and so ends with status 1, for anything but success.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]

ENTRYPOINT ["enmusubi"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
