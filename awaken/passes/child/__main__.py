"""Where the process begins: ``python -P -m awaken.passes.child``, messages on stdin and stdout."""

from awaken.passes.child.serving import serve

if __name__ == "__main__":
    serve()
