"""tests/lib/history_model.py: the documents, slow and obvious.

One collection as spec/lua.md describes it, and the language of the plugin
tests/plugins/histories over it. Nothing here is clever: a list is made by
sorting all documents, a transaction works on a copy. What the runtime answers
is held against this.
"""

import json

# As the manifest says them.
INDEXES = {
    "by_a": {"fields": ["a", "b"]},
    "by_b": {"fields": ["b"], "sparse": True},
    "by_u": {"fields": ["u"], "unique": True, "sparse": True},
    "by_time": {"fields": ["a"],
                "interval": {"from": "f", "to": "t", "longest_ms": 50}},
}
LIST_LIMIT = 50
DETAIL_BYTES = 250


class Fail(Exception):
    """The script said call:fail."""


def rank(value):
    """A place in the order of an index: null, false, true, integers, texts."""
    if value is None:
        return (0,)
    if isinstance(value, bool):
        return (1, value)
    if isinstance(value, int):
        return (2, value)
    return (3, value.encode("utf-8"))


def key_of(index, doc):
    """The key of a document in an index, or None: it has no entry."""
    spec = INDEXES[index]
    values = [doc.get(field) for field in spec["fields"]]
    if spec.get("sparse") and None in values:
        return None
    if "interval" in spec:
        if doc.get("f") is None and doc.get("t") is None:
            return None
        values += [doc["f"], doc["t"]]
    return tuple(rank(value) for value in values)


def patched(target, changes):
    """RFC 7396, for members that are no objects."""
    merged = dict(target)
    for name, value in changes.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = value
    return merged


def text_of(value):
    """JSON as Linli writes it; and true is not 1."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"),
                      ensure_ascii=False)


class Transaction:
    """A script at work on a copy of the documents."""

    def __init__(self, docs):
        self.docs = dict(docs)
        self.read = []
        self.more = []
        self.left = []

    def follow(self, script):
        """Do all steps; raises Fail where the script says call:fail."""
        for name, *arguments in script["steps"]:
            self.read.append(getattr(self, "do_" + name)(*arguments))

    # -- reading --

    def found(self, query):
        """Documents of a query, in order, without a limit."""
        index = query.get("index")
        eq = tuple(rank(value) for value in query.get("eq", ()))
        low, high = (tuple(rank(value) for value in query.get(bound, ()))
                     for bound in ("from", "to"))
        places = []
        for doc in self.docs.values():
            key = () if index is None else key_of(index, doc)
            if key is None or key[:len(eq)] != eq:
                continue
            rest = key[len(eq):]
            if rest >= low and ("to" not in query or rest < high):
                places.append((key, doc["id"].encode("utf-8"), doc))
        places.sort(key=lambda place: place[:2],
                    reverse=query.get("descending", False))
        return [doc for _, _, doc in places]

    def do_get(self, key):
        return self.docs.get(key)

    def do_find(self, index, *values):
        docs = self.found({"index": index, "eq": values})
        return docs[0] if docs else None

    def do_list(self, query):
        self.limit = query.get("limit", LIST_LIMIT)
        self.left = self.found(query)
        return self.page()

    def page(self):
        """The next documents of the last list. Scripts write nothing between
        a list and its further pages."""
        items, self.left = self.left[:self.limit], self.left[self.limit:]
        self.more.append(bool(self.left))
        return items

    def do_more(self):
        return self.page()

    def do_count(self, query):
        return len(self.found(query))

    def do_over(self, index, value, begin, end):
        return [doc for doc in self.found({"index": index, "eq": [value]})
                if doc["f"] < end and doc["t"] > begin]

    def do_over1(self, index, value, begin, end):
        docs = self.do_over(index, value, begin, end)
        return docs[0] if docs else None

    # -- writing --

    def put(self, doc):
        """Store the document, unless another has its unique key."""
        for index, spec in INDEXES.items():
            key = key_of(index, doc)
            if spec.get("unique") and key is not None and any(
                    other["id"] != doc["id"] and key_of(index, other) == key
                    for other in self.docs.values()):
                return ["exists", index]
        self.docs[doc["id"]] = doc
        return doc

    do_put = put

    def do_insert(self, doc):
        return ["exists", ""] if doc["id"] in self.docs else self.put(doc)

    def do_patch(self, key, changes):
        if key not in self.docs:
            return ["not-found", ""]
        return self.put(patched(self.docs[key], changes))

    def do_delete(self, key):
        return self.docs.pop(key, None) is not None

    def do_add(self, key, n):
        doc = dict(self.docs.get(key, {"id": key, "n": 0}))
        doc["n"] += n
        return self.put(doc)

    def do_sum(self, query, key):
        docs = self.found(query)[:query.get("limit", LIST_LIMIT)]
        return self.put({"id": key, "n": sum(doc["n"] for doc in docs)})

    # -- refusing, waiting --

    def do_fail_if(self, key, there):
        if (key in self.docs) == there:
            raise Fail
        return None

    def do_fail_over(self, query, n):
        if len(self.found(query)) > n:
            raise Fail
        return None

    def do_tell(self, _):
        return None

    def do_wait(self, _):
        return None

    def detail(self):
        """What call:fail says of it."""
        text = text_of(self.read).encode("utf-8")[:DETAIL_BYTES]
        return text.decode("utf-8", "ignore")
