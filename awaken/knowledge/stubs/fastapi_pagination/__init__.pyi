from fastapi_pagination.default import Page as Page
from fastapi_pagination.limit_offset import LimitOffsetPage as LimitOffsetPage
