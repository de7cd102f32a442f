from starlette.requests import Request
from starlette.responses import Response

class RequestResponseEndpoint:
    async def __call__(self, request: Request, /) -> Response: ...
