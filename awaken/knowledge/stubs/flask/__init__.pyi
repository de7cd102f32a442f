from collections.abc import MutableMapping
from typing import IO, Any

from werkzeug.datastructures import (
    CombinedMultiDict,
    FileStorage,
    Headers,
    ImmutableMultiDict,
    MultiDict,
)

# Objects that programs put something of their own on, `g` and `current_app`, are left out.
class Request:
    args: MultiDict[str, str]
    form: ImmutableMultiDict[str, str]
    values: CombinedMultiDict[str, str]
    files: ImmutableMultiDict[str, FileStorage]
    cookies: ImmutableMultiDict[str, str]
    headers: Headers
    environ: dict[str, Any]
    view_args: dict[str, Any] | None
    stream: IO[bytes]
    data: bytes
    json: Any
    method: str
    path: str
    full_path: str
    scheme: str
    url: str
    base_url: str
    url_root: str
    root_url: str
    host: str
    host_url: str
    script_root: str
    root_path: str
    query_string: bytes
    remote_addr: str | None
    remote_user: str | None
    content_length: int | None
    content_type: str | None
    mimetype: str
    endpoint: str | None
    blueprint: str | None
    is_json: bool
    is_secure: bool
    access_route: list[str]
    def get_data(self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False) -> Any: ...
    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any: ...

class SessionMixin(MutableMapping[str, Any]):
    permanent: bool
    new: bool
    modified: bool
    accessed: bool

request: Request
session: SessionMixin
