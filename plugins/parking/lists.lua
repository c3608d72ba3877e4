-- lists.lua: plates that are let in free (allow), turned away (deny), or owe
-- nothing because of what they are (special).

local linli = require "linli"
local record = require "record"

local M = {}

local NAMES = { allow = true, deny = true, special = true }

---@class parking.Lists
---@field call linli.Call
---@field read table<string, string[]>
local Lists = {}
Lists.__index = Lists

-- The lists as one call sees them; each is read when it is first asked for.
---@param call linli.Call
---@return parking.Lists
function M.open(call)
    return setmetatable({ call = call, read = {} }, Lists)
end

---@param name "allow"|"deny"|"special"
---@param plate string
---@return boolean
function Lists:has(name, plate)
    if not self.read[name] then
        local list = self.call.db.list:get(name)
        self.read[name] = list and list.plates or {}
    end
    for _, listed in ipairs(self.read[name]) do
        if listed == plate then
            return true
        end
    end
    return false
end

local function current(call)
    local name = call.params.list
    if not NAMES[name] then
        call:fail("parking/list-unknown")
    end
    return call.db.list:get(name) or { id = name, version = 0, plates = {} }
end

local function answer(status, list)
    local body = { list = list.id, version = list.version,
        plates = linli.array(list.plates) }
    return status, body, { etag = tostring(list.version) }
end

function M.get(call)
    return answer(200, current(call))
end

-- How many of the plates in `a` are not in `b`.
local function count_missing(a, b)
    local there, missing = {}, 0
    for _, plate in ipairs(b) do
        there[plate] = true
    end
    for _, plate in ipairs(a) do
        missing = missing + (there[plate] and 0 or 1)
    end
    return missing
end

-- The whole list at once. If-Match is not required: it guards those who send
-- it against each other.
function M.put(call)
    local old = current(call)
    local wanted = call.if_match
    if wanted and wanted ~= "*" and wanted ~= tostring(old.version) then
        call:fail("parking/if-match-stale")
    end
    local list = call.db.list:put {
        id = old.id,
        version = old.version + 1,
        plates = linli.array(call.body.plates),
        at = call.now,
    }
    record.audit(call, "list", {
        list = list.id,
        version = list.version,
        added = count_missing(list.plates, old.plates),
        removed = count_missing(old.plates, list.plates),
        reason = call.body.reason,
    })
    return answer(200, list)
end

return M
