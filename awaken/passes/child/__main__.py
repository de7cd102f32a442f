"""The entry point of the process: ``python -P -m awaken.passes.child LINE...``, see ``serve``."""

import sys

from awaken.passes.child.foreign_serving import serve

if __name__ == "__main__":
    serve([int(word) for word in sys.argv[1:]])
