from fastmcp.server.context import Context as Context
