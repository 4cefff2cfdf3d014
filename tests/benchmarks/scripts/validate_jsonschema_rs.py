"""orjson and jsonschema-rs: how many events there are, and how many of them a schema refuses."""

import json
import sys
from pathlib import Path

import jsonschema_rs
import orjson

validator = jsonschema_rs.validator_for(orjson.loads(Path(sys.argv[1]).read_bytes()))
events = invalid = 0
with Path(sys.argv[2]).open("rb") as lines:
    for line in lines:
        payload = orjson.loads(line)
        events += len(payload["events"])
        if not validator.is_valid(payload):
            invalid += len({error.instance_path[1] for error in validator.iter_errors(payload)})
print(json.dumps({"events": events, "invalid": invalid}))
