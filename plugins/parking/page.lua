-- page.lua: lists in pages, newest first, out of several ranges at once.
--
-- Every index that is read here ends in the members "at" and "id", so that
-- a place between two documents has a name: "AT.ID" is the cursor.

local linli = require "linli"

local M = {}

local LIMIT_DEFAULT, LIMIT_MAX = 50, 100

local function limit_of(call)
    local text = call.query.limit
    if text == nil then
        return LIMIT_DEFAULT
    end
    local limit = text:find("^%d%d?%d?$") and math.tointeger(tonumber(text))
    if not limit or limit < 1 or limit > LIMIT_MAX then
        call:fail("parking/query-invalid", "limit is 1 to 100")
    end
    return limit
end

-- The end of the range, exclusive; nil for the first page.
local function place_of(call)
    local cursor = call.query.cursor
    if cursor == nil then
        return nil
    end
    local at, id = cursor:match("^(-?%d+)%.(.+)$")
    at = at and #at <= 19 and math.tointeger(tonumber(at))
    if not at then
        call:fail("parking/query-invalid", "cursor is none that was given")
    end
    return { at, id }
end

local function newest_first(a, b)
    if a.at ~= b.at then
        return a.at > b.at
    end
    return a.id > b.id
end

-- Reads a page. A document that lies in two ranges is given once.
---@param call linli.Call
---@param collection string
---@param ranges {index: string, eq?: any[]}[]
---@return table[] items, string? next_cursor
function M.read(call, collection, ranges)
    local limit, to = limit_of(call), place_of(call)
    local found, seen, more = {}, {}, false
    for _, range in ipairs(ranges) do
        local items, rest = call.db[collection]:list {
            index = range.index, eq = range.eq, to = to,
            descending = true, limit = limit,
        }
        more = more or rest ~= nil
        for _, item in ipairs(items) do
            if not seen[item.id] then
                seen[item.id] = true
                found[#found + 1] = item
            end
        end
    end
    table.sort(found, newest_first)
    more = more or #found > limit
    local items = table.move(found, 1, math.min(limit, #found), 1, {})
    local last = items[#items]
    return items, more and last and last.at .. "." .. last.id or nil
end

-- A page as it is answered: each item through `view`.
---@param call linli.Call
---@param collection string
---@param ranges {index: string, eq?: any[]}[]
---@param view fun(call: linli.Call, item: table): table
---@return table
function M.answer(call, collection, ranges, view)
    local items, next_cursor = M.read(call, collection, ranges)
    local views = linli.array()
    for i, item in ipairs(items) do
        views[i] = view(call, item)
    end
    return { items = views, next_cursor = next_cursor }
end

return M
