-- test/fake_db.lua: documents in memory, as call.db keeps them.
--
-- A store belongs to a manifest: it knows its collections and indexes, and
-- refuses what the host refuses. One call at a time; slow and plain: every
-- look-up sorts the whole collection.

local json = require "json"

local M = {}

local LIST_DEFAULT, LIST_MAX = 50, 100
local COUNT_MAX, OVERLAPS_MAX = 10000, 1000
local STRING_KEY_MAX = 256
local DEPTH_MAX = 16
local DOC_BYTES_DEFAULT = 65536

-- A copy as JSON would carry it; what JSON cannot carry is an error.
local function copy(value, depth)
    local kind = type(value)
    depth = depth or 1
    if value == json.null or kind == "string" or kind == "boolean"
        or kind == "number" then
        return value
    end
    assert(kind == "table", "db/document: a " .. kind)
    assert(depth <= DEPTH_MAX, "db/document: too deep")
    local result = {}
    for name, member in pairs(value) do
        result[name] = copy(member, depth + 1)
    end
    if getmetatable(value) == json.list or #result > 0 then
        setmetatable(result, json.list)
    end
    return result
end
M.copy = copy

-- About as many bytes as the JSON has.
local function size(value)
    if type(value) ~= "table" then
        return #tostring(value) + 2
    end
    local bytes = 2
    for name, member in pairs(value) do
        bytes = bytes + #tostring(name) + 4 + size(member)
    end
    return bytes
end

-- -- keys -----------------------------------------------------------------

local RANKS = { null = 0, [false] = 1, [true] = 2, number = 3, string = 4 }

local function rank(value)
    if value == nil or value == json.null then
        return 0
    elseif type(value) == "boolean" then
        return RANKS[value]
    end
    return RANKS[type(value)]
end

local function check_key(value)
    local good = value == nil or value == json.null
        or type(value) == "boolean" or math.type(value) == "integer"
        or type(value) == "string" and #value <= STRING_KEY_MAX
    if not good then
        error("db/key: " .. tostring(value), 0)
    end
end

-- -1, 0 or 1 by the first `count` values.
local function compare(a, b, count)
    for i = 1, count do
        local ra, rb = rank(a[i]), rank(b[i])
        if ra ~= rb then
            return ra < rb and -1 or 1
        elseif ra >= 3 and a[i] ~= b[i] then
            return a[i] < b[i] and -1 or 1
        end
    end
    return 0
end

local function key_of(doc, fields)
    local key, whole = {}, true
    for i, name in ipairs(fields) do
        local value = doc[name]
        check_key(value)
        key[i] = value
        whole = whole and value ~= nil and value ~= json.null
    end
    return key, whole
end

-- -- a collection ---------------------------------------------------------

local Collection = {}
Collection.__index = Collection

function Collection:index(name)
    if name == nil or name == "" then
        return { fields = { "id" } }
    end
    return self.rules.indexes and self.rules.indexes[name]
        or error("db/undeclared: index " .. name, 0)
end

-- Documents that the index holds, in its order.
function Collection:sorted(index)
    local found = {}
    for _, doc in pairs(self.docs) do
        local key, whole = key_of(doc, index.fields)
        if whole or not index.sparse then
            found[#found + 1] = { key = key, doc = doc }
        end
    end
    table.sort(found, function(a, b)
        local order = compare(a.key, b.key, #index.fields)
        return order < 0 or order == 0 and a.doc.id < b.doc.id
    end)
    return found
end

-- The name of the unique index that the document clashes in.
function Collection:clash(doc)
    for name, index in pairs(self.rules.indexes or {}) do
        local key, whole = key_of(doc, index.fields)
        if index.unique and (whole or not index.sparse) then
            for _, other in ipairs(self:sorted(index)) do
                if other.doc.id ~= doc.id
                    and compare(other.key, key, #index.fields) == 0 then
                    return name
                end
            end
        end
    end
end

function Collection:check(doc)
    assert(type(doc) == "table" and #doc == 0, "db/document: no object")
    local id = doc.id
    assert(type(id) == "string" and #id >= 1 and #id <= 128
        and not id:find("%c"), "db/document: id")
    local most = self.rules.doc_bytes or DOC_BYTES_DEFAULT
    assert(size(doc) <= most, "db/document: too large")
    local pid = self.rules.subject and doc[self.rules.subject]
    assert(pid == nil or pid:find("^%x+$") and #pid == 32,
        "db/document: the subject is no pid")
    for _, index in pairs(self.rules.indexes or {}) do
        key_of(doc, index.fields)
    end
end

function Collection:write(doc)
    self:check(doc)
    local index = self:clash(doc)
    if index then
        return nil, "exists", index
    end
    self.docs[doc.id] = doc
    return copy(doc)
end

function Collection:get(id)
    local doc = self.docs[id]
    return doc and copy(doc)
end

function Collection:insert(doc)
    doc = copy(doc)
    doc.id = doc.id or self.store:new_id()
    if self.store.before_insert then
        local first = self.store.before_insert
        self.store.before_insert = nil
        first(self.name, doc)
    end
    if self.docs[doc.id] then
        return nil, "exists", ""
    end
    return self:write(doc)
end

function Collection:put(doc)
    return self:write(copy(doc))
end

-- RFC 7396.
local function merge(target, changes)
    if type(changes) ~= "table" or getmetatable(changes) == json.list then
        return changes
    end
    local result = {}
    for name, value in pairs(type(target) == "table" and target or {}) do
        result[name] = value
    end
    for name, value in pairs(changes) do
        if value == json.null then
            result[name] = nil
        else
            result[name] = merge(result[name], value)
        end
    end
    return result
end

function Collection:patch(id, changes)
    if not self.docs[id] then
        return nil, "not-found"
    end
    local doc = copy(merge(self.docs[id], copy(changes)))
    assert(doc.id == id, "db/document: a patch changes no id")
    return self:write(doc)
end

function Collection:delete(id)
    local there = self.docs[id] ~= nil
    self.docs[id] = nil
    return there
end

-- -- ranges ---------------------------------------------------------------

local QUERY = { index = true, eq = true, from = true, to = true,
    descending = true, limit = true, cursor = true }

-- The key without its first `skipped` values.
local function rest(key, skipped, count)
    return table.move(key, skipped + 1, skipped + count, 1, {})
end

local function within(key, query)
    local eq = query.eq or {}
    if compare(key, eq, #eq) ~= 0 then
        return false
    end
    local from, to = query.from or {}, query.to
    if compare(rest(key, #eq, #from), from, #from) < 0 then
        return false
    end
    return not to or compare(rest(key, #eq, #to), to, #to) < 0
end

function Collection:matching(query)
    for name in pairs(query) do
        assert(QUERY[name], "db/query: " .. name)
    end
    for _, name in ipairs { "eq", "from", "to" } do
        assert(not query[name] or #query[name] > 0, "db/query: empty")
    end
    local index, found = self:index(query.index), {}
    local eq = #(query.eq or {})
    assert(eq + #(query.from or {}) <= #index.fields
        and eq + #(query.to or {}) <= #index.fields, "db/query: too long")
    for _, item in ipairs(self:sorted(index)) do
        if within(item.key, query) then
            table.insert(found, query.descending and 1 or #found + 1,
                item.doc)
        end
    end
    return found
end

function Collection:list(query)
    query = query or {}
    local limit = query.limit or LIST_DEFAULT
    assert(limit >= 1 and limit <= LIST_MAX, "db/query: limit")
    local found, items = self:matching(query), {}
    local first = tonumber(query.cursor or "1")
    for i = first, math.min(#found, first + limit - 1) do
        items[#items + 1] = copy(found[i])
    end
    local next_at = first + limit
    return items, found[next_at] and tostring(next_at) or nil
end

function Collection:find(index, ...)
    return (self:list { index = index, eq = { ... }, limit = 1 })[1]
end

function Collection:count(query)
    local count = #self:matching(query or {})
    assert(count <= COUNT_MAX, "db/limit: count")
    return count
end

function Collection:overlapping(index, ...)
    local values = { ... }
    local to, from = table.remove(values), table.remove(values)
    local interval = self:index(index).interval
    local found = {}
    for _, doc in ipairs(self:matching { index = index, eq = values }) do
        local begins, ends = doc[interval.from], doc[interval.to]
        if begins and ends and begins < to and ends > from then
            found[#found + 1] = copy(doc)
        end
    end
    assert(#found <= OVERLAPS_MAX, "db/limit: overlaps")
    return found
end

function Collection:overlaps(index, ...)
    return self:overlapping(index, ...)[1]
end

-- -- the store ------------------------------------------------------------

local Store = {}
Store.__index = Store

function Store:new_id()
    self.ids = self.ids + 1
    return string.format("%016x", self.ids)
end

-- What can be gone back to. Documents are never changed in place.
function Store:snapshot()
    local kept = {}
    for name, collection in pairs(self.collections) do
        local docs = {}
        for id, doc in pairs(collection.docs) do
            docs[id] = doc
        end
        kept[name] = docs
    end
    return kept
end

function Store:restore(kept)
    for name, docs in pairs(kept) do
        self.collections[name].docs = docs
    end
end

-- All documents of a collection, by id: for what a test wants to see.
function Store:all(name)
    return (self.collections[name]:list { limit = LIST_MAX })
end

-- `before_insert` is called once before the next insert and forgotten: what
-- another call commits in between.
function M.new(manifest)
    local store = setmetatable({ collections = {}, ids = 0 }, Store)
    for name, rules in pairs(manifest.collections or {}) do
        store.collections[name] = setmetatable(
            { name = name, rules = rules, docs = {}, store = store },
            Collection)
    end
    return store
end

M.WRITES = { insert = true, put = true, patch = true, delete = true }

return M
