"""The requests that an OpenAPI document describes, with values of its schemas and of rows.

It runs in the environment of the tests, on Python 3.8 and later, and imports nothing of awaken.
"""

import json
import re
from urllib.parse import quote, urlencode

METHODS = ("get", "head", "post", "put", "patch", "delete")
MOST = 12  # requests of one operation
DEEP = 6
ABSENT = {"integer": 999999, "number": 999999}
FORMATS = {
    "uuid": "00000000-0000-0000-0000-00000000000%d",
    "date": "2024-01-0%d",
    "date-time": "2024-01-0%dT12:00:00",
    "time": "0%d:00:00",
    "email": "user%d@example.org",
    "uri": "https://example.org/%d",
    "binary": "file %d",
}


class Asked:
    """Makes the requests of a document; ``rows`` are those of the tables by their names."""

    def __init__(self, document, rows):
        self.document = document
        self.rows = rows
        self.without = []
        self._made = []

    def requests(self):
        found, seen = [], set()
        for path, item in self.document.get("paths", {}).items():
            for method in METHODS:
                if isinstance(item.get(method), dict):
                    for one in self._of(method, path, item)[:MOST]:
                        words = json.dumps(one, sort_keys=True)
                        if words not in seen:
                            seen.add(words)
                            found.append(one)
        # Reads come first: the answers of the others may leave something in memory.
        found.sort(key=lambda one: one["method"] not in ("GET", "HEAD"))
        return named(found)

    def _of(self, method, path, item):
        operation = item[method]
        declared = [*item.get("parameters", ()), *operation.get("parameters", ())]
        parameters = [self.resolved(one) for one in declared]
        placed = {"path": [], "query": [], "header": [], "cookie": []}
        for one in parameters:
            placed.setdefault(one.get("in"), []).append(one)
        bodies = self.bodies(operation) or [None]
        for number, body in enumerate(bodies):
            places = (1, 2, None) if not number and placed["path"] else (1,)
            for row in places:
                yield_path = self.path(path, placed["path"], row)
                for query in self.queries(placed["query"], row == 1 and not number):
                    if yield_path is not None:
                        self._add(method, yield_path, query, placed, body)
        found, self._made = self._made, []
        return found

    def _add(self, method, path, query, placed, body):
        headers = {}
        for one in placed["header"]:
            if one.get("required"):
                headers[one["name"].lower()] = plain(self.value(one, path, 1))
        target = path + ("?" + urlencode(query, doseq=True) if query else "")
        kind, content = body or ("", "")
        if kind:
            headers["content-type"] = kind
        request = {"method": method.upper(), "target": target, "headers": headers, "body": content}
        self._made = [*self._made, request]

    def path(self, path, parameters, row):
        """Fill the places of a path from the row of this number, or from none that exists."""
        for one in parameters:
            if row is None:
                kind = self.resolved(one.get("schema", {})).get("type")
                value = ABSENT.get(kind, "no-such-%s" % one["name"])
                if self.resolved(one.get("schema", {})).get("format") == "uuid":
                    value = FORMATS["uuid"] % 9
            else:
                value = self.value(one, path, row)
            filled = quote(plain(value), safe="").replace("\\", "\\\\")
            path = re.sub(r"\{%s(:\w+)?\}" % re.escape(one["name"]), filled, path)
        if "{" in path:
            self.without.append(path)
            return None
        return path

    def queries(self, parameters, many):
        """Give the required parameters alone, then each of the others with them."""
        required = [
            (one["name"], self.value(one, "", 1)) for one in parameters if one.get("required")
        ]
        found = [[(name, plain(value)) for name, value in required]]
        for one in parameters if many else ():
            if not one.get("required"):
                for value in self.choices(one):
                    found.append([*found[0], (one["name"], plain(value))])
        return found

    def choices(self, parameter):
        schema = self.resolved(parameter.get("schema", {}))
        listed = schema.get("enum")
        if schema.get("type") == "boolean":
            listed = [True, False]
        return (listed or [self.value(parameter, "", 1)])[:3]

    # ------------------------------------------------------------------------------------- values
    def resolved(self, schema):
        """Follow references, and take the first alternative that is not null."""
        for _ in range(DEEP):
            if "$ref" in schema:
                target = self.document
                for word in schema["$ref"].lstrip("#/").split("/"):
                    target = target.get(word.replace("~1", "/").replace("~0", "~"), {})
                schema = target
            elif "anyOf" in schema or "oneOf" in schema or len(schema.get("allOf", ())) == 1:
                several = schema.get("anyOf") or schema.get("oneOf") or schema["allOf"]
                other = [one for one in several if one.get("type") != "null"]
                rest = {k: v for k, v in schema.items() if k not in ("anyOf", "oneOf", "allOf")}
                schema = {**(other[0] if other else {}), **rest}
            else:
                break
        return schema

    def value(self, parameter, path, row):
        documented = examples_of(parameter)
        if documented:
            return documented[0]
        schema = self.resolved(parameter.get("schema", {}))
        known = self.of_row(parameter["name"], path, row, schema)
        return self.of_schema(schema, row, parameter["name"]) if known is None else known

    def of_row(self, name, path, row, schema):
        """Return the key or the column of a row that a name means."""
        key = re.sub(r"_?(id|pk|uuid)$", "", name.lower())
        before = path.split("{")[0].rstrip("/").split("/")
        # A plain `id` belongs to the table that the path names before it.
        words = [key] if key else []
        words += [one.lower() for one in reversed(before) if one and not one.isdigit()]
        for table, rows in sorted(self.rows.items()):
            if any(alike(table, word) for word in words[:1]) and key != name.lower():
                return self._cell(rows, row, ("id", name, "uuid"), schema)
        for word in words:
            for table, rows in sorted(self.rows.items()):
                if alike(table, word) and rows and name in rows[0]:
                    return self._cell(rows, row, (name,), schema)
        for _, rows in sorted(self.rows.items()):
            if path and rows and name in rows[0] and name not in ("id", "name"):
                return self._cell(rows, row, (name,), schema)
        return None

    def _cell(self, rows, row, columns, schema):
        if not rows:
            return None
        values = rows[(row - 1) % len(rows)]
        for column in columns:
            if column in values:
                value = values[column]
                numeric = schema.get("type") in ("integer", "number")
                return None if numeric and isinstance(value, str) else value
        return next(iter(values.values()), None)

    def of_schema(self, schema, row=1, name="", deep=0):
        """Return a value that a schema allows."""
        schema = self.resolved(schema)
        for word in ("example", "const", "default"):
            if schema.get(word) is not None:
                return schema[word]
        if isinstance(schema.get("examples"), list) and schema["examples"]:
            return schema["examples"][0]
        if schema.get("enum"):
            return schema["enum"][0]
        kind = schema.get("type")
        if "properties" in schema or "allOf" in schema or kind == "object":
            return self._object(schema, row, deep)
        if kind == "array":
            number = max(1, schema.get("minItems", 1))
            return (
                [self.of_schema(schema.get("items", {}), row, name, deep + 1)] * number
                if deep < DEEP
                else []
            )
        return self._scalar(schema, kind, row, name)

    def _scalar(self, schema, kind, row, name):
        known = self.of_row(name, "", row, schema) if name.lower().endswith("id") else None
        if known is not None:
            return known
        if kind in ("integer", "number"):
            least = schema.get("minimum", schema.get("exclusiveMinimum", 0))
            least = least + 1 if "exclusiveMinimum" in schema or least < 1 else least
            return min(least, schema.get("maximum", least))
        if kind == "boolean":
            return True
        if schema.get("format") in FORMATS:
            return FORMATS[schema["format"]] % row
        if "mail" in name.lower():
            return FORMATS["email"] % row
        text = "new %s" % (name or "text")
        least, most = schema.get("minLength", 0), schema.get("maxLength", 1000)
        return text.ljust(least, "x")[: max(1, most)]

    def _object(self, schema, row, deep):
        if deep > DEEP:
            return {}
        found = {}
        for one in schema.get("allOf", ()):
            part = self.of_schema(one, row, "", deep + 1)
            found.update(part if isinstance(part, dict) else {})
        for name, one in schema.get("properties", {}).items():
            found[name] = self.of_schema(one, row, name, deep + 1)
        return found

    # ------------------------------------------------------------------------------------- bodies
    def bodies(self, operation):
        """Return the type and text of each documented body, else of one from the schema."""
        content = self.resolved(operation.get("requestBody", {})).get("content", {})
        for kind, media in sorted(content.items()):
            schema = self.resolved(media.get("schema", {}))
            values = examples_of(media) or examples_of(schema) or [self.of_schema(schema)]
            if "json" in kind:
                return [(kind, json.dumps(one, default=str)) for one in values]
            if "urlencoded" in kind:
                return [
                    (kind, urlencode(one, doseq=True)) for one in values if isinstance(one, dict)
                ]
            if "multipart" in kind:
                return [multipart(one, schema) for one in values if isinstance(one, dict)]
        return []


def multipart(values, schema):
    parts = []
    for name, value in values.items():
        is_file = schema.get("properties", {}).get(name, {}).get("format") == "binary"
        extra = '; filename="file.txt"\r\nContent-Type: text/plain' if is_file else ""
        parts.append(
            '--awaken\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
            % (name, extra, plain(value))
        )
    return "multipart/form-data; boundary=awaken", "".join(parts) + "--awaken--\r\n"


def examples_of(thing):
    """Return what a parameter, a body or a schema documents as its examples."""
    if "example" in thing:
        return [thing["example"]]
    several = thing.get("examples")
    if isinstance(several, dict):
        return [
            one["value"] for one in several.values() if isinstance(one, dict) and "value" in one
        ]
    return list(several) if isinstance(several, list) else []


def plain(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(getattr(value, "value", value))


def alike(table, word):
    """Whether the name of a table is a word of a path or parameter, in singular or plural."""
    stems = {_stem(table), _stem(table.rsplit(".", 1)[-1].split("_")[-1])}
    return _stem(word.replace("-", "_")) in stems


def _stem(word):
    word = word.lower()
    for end, other in (("ies", "y"), ("sses", "ss"), ("s", "")):
        if word.endswith(end) and len(word) > len(end) + 1:
            return word[: -len(end)] + other
    return word


def named(requests):
    """Give each request a name of its own: method and target, and a number where both repeat."""
    counted = {}
    for one in requests:
        words = "%s %s" % (one["method"], one["target"])
        counted[words] = counted.get(words, 0) + 1
        one["name"] = words if counted[words] == 1 else "%s (%d)" % (words, counted[words])
    return requests
