"""Endpoints to send to, in a process of their own: as fast as there is one, or with a latency."""

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.benchmarks.peers import SCRIPTS

_PATH: Final = "/postback/v3/event/benchmark/currents"

_NGINX: Final = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/errors;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 10000000;
  client_max_body_size 2m;
  client_body_buffer_size 2m;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream answer {{ server 127.0.0.1:{behind}; keepalive 32; }}
  server {{
    listen 127.0.0.1:{port} backlog=511;
    # Handing on is what makes it read the whole body before it answers.
    location / {{
      proxy_pass http://answer;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header Connection "";
      proxy_http_version 1.1;
    }}
  }}
  server {{ listen 127.0.0.1:{behind}; location / {{ return 200 '{{}}'; }} }}
}}
"""


@contextmanager
def fast() -> Iterator[str]:
    """The URL of an endpoint that answers at once: nginx, or our own where that is not installed."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    if nginx is None:
        with slow(0.0) as url:
            yield url
        return
    with tempfile.TemporaryDirectory(prefix="tdcur-benchmark-nginx-") as name:
        folder = Path(name)
        # nginx works under another user's name when it is started by root.
        folder.chmod(0o755)
        port, behind = _free_port(), _free_port()
        configuration = folder / "nginx.conf"
        configuration.write_text(_NGINX.format(folder=folder, port=port, behind=behind))
        with _running([nginx, "-p", name, "-c", str(configuration)], port) as url:
            yield url


@contextmanager
def slow(seconds: float) -> Iterator[str]:
    """The URL of an endpoint that waits so long before each answer, however many requests there are at once."""
    port = _free_port()
    with _running([sys.executable, str(SCRIPTS / "endpoint.py"), str(port), str(seconds)], port) as url:
        yield url


def _free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        number: int = unused.getsockname()[1]
        return number


@contextmanager
def _running(command: list[str], port: int) -> Iterator[str]:
    """A server while it runs; its URL when it listens."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            _wait_for(process, port)
            yield f"http://127.0.0.1:{port}{_PATH}"
        finally:
            process.terminate()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.02)
        else:
            return
    raise subprocess.CalledProcessError(process.returncode or 1, process.args)
