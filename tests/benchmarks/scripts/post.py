"""Posts each line of a file, four at a time: `post.py URL SECONDS FILE`. Prints the statuses of the responses.

If SECONDS is not 0, it is how often a page reads the latest payload, while another process reads its stream.
"""

import http.client
import json
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

AT_ONCE = 4
STREAM = "import sys, urllib.request\nfor _ in urllib.request.urlopen(sys.argv[1]): pass"


def look(host: str, seconds: float, ended: threading.Event) -> None:
    """Read the latest payload again and again, as a page does that follows it."""
    while not ended.wait(seconds):
        connection = http.client.HTTPConnection(host)
        connection.request("GET", "/api/summary")
        for payload in json.loads(connection.getresponse().read())["payloads"][:1]:
            connection.request("GET", f"/api/payloads/{payload['number']}")
            connection.getresponse().read()
        connection.close()


def post(url: str, file: Path, first: int) -> Counter[int]:
    """Post every fourth line on one connection."""
    connection, statuses = http.client.HTTPConnection(urlsplit(url).netloc), Counter[int]()
    with file.open("rb") as lines:
        for line in islice(lines, first, None, AT_ONCE):
            connection.request("POST", urlsplit(url).path, line, {"X-TD-Write-Key": "1/key"})
            response = connection.getresponse()
            response.read()
            statuses[response.status] += 1
    return statuses


def main(url: str, seconds: float, file: Path) -> None:
    host, ended = urlsplit(url).netloc, threading.Event()
    reader: Any = nullcontext()
    if seconds:
        reader = subprocess.Popen([sys.executable, "-c", STREAM, f"http://{host}/api/stream"])
        threading.Thread(target=look, args=(host, seconds, ended), daemon=True).start()
    with reader, ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = sum(pool.map(post, [url] * AT_ONCE, [file] * AT_ONCE, range(AT_ONCE)), Counter[int]())
        ended.set()
        if seconds:
            reader.terminate()
    print(json.dumps(statuses))


main(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]))
