from starlette.requests import Request
from starlette.responses import Response

class RequestResponseEndpoint:
    async def __call__(self, request: Request, /) -> Response: ...

class BaseHTTPMiddleware:
    async def dispatch(
        self, request: Request, call_next: RequestResponseEndpoint
    ) -> Response: ...
