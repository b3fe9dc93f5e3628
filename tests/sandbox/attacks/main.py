"""Performs one attack: `main.py FAMILY NAME ARENA`, where ARENA is a JSON object.

Ends with 0 when the attack succeeded, with 1 when it was refused, with 3 when only a look from outside can tell, and with 2
when the attack itself is broken.
"""

import importlib
import json
import os
import sys
import traceback
from types import SimpleNamespace

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from common import OUTSIDE  # noqa: E402


def main():
    family, name, arena = sys.argv[1:]
    act = getattr(importlib.import_module(family), name)
    try:
        looked_at = act(SimpleNamespace(**json.loads(arena)))
    except (OSError, MemoryError) as error:
        print(f"refused: {error}", flush=True)
        return 1
    except BaseException:
        traceback.print_exc()
        return 2
    print("done", flush=True)
    return 3 if looked_at is OUTSIDE else 0


sys.exit(main())
