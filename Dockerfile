# The wheel is built in one stage and installed in the other: docker build -t tdcur . && docker run --rm tdcur demo
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY td_currents_cli td_currents_cli
COPY sample_data sample_data
COPY docs/man docs/man
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheel .

FROM python:3.13-slim
RUN --mount=type=bind,from=build,source=/wheel,target=/wheel \
    python -m pip install --no-cache-dir "$(echo /wheel/*.whl)[td,parquet]" \
    && useradd --create-home --uid 1000 tdcur \
    && install --directory --owner=tdcur --group=tdcur /data
USER 1000
WORKDIR /data
EXPOSE 8888
# For `serve`, which listens for other containers with --host 0.0.0.0: a connection, which its log does not show and no
# injected fault breaks. Start other commands with --no-healthcheck.
HEALTHCHECK --interval=10s --timeout=3s CMD ["python", "-c", "import socket; socket.create_connection(('127.0.0.1', 8888), 2)"]
ENTRYPOINT ["tdcur"]
CMD ["--help"]
