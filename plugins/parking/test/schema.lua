-- test/schema.lua: judges a value by the part of JSON Schema that plugin.json
-- uses. Not judged: pattern and format, which the runtime's own tests hold.

local json = require "json"

local M = {}

local judge

-- An empty table without a mark is both, as it is in Lua.
local function is_list(value)
    return type(value) == "table" and (getmetatable(value) == json.list
        or #value > 0 or value ~= json.null and next(value) == nil)
end

local TYPES = {
    object = function(v)
        return type(v) == "table" and v ~= json.null
            and getmetatable(v) ~= json.list and #v == 0
    end,
    array = is_list,
    string = function(v)
        return type(v) == "string"
    end,
    integer = function(v)
        return math.type(v) ~= nil and math.tointeger(v) ~= nil
    end,
    number = function(v)
        return type(v) == "number"
    end,
    boolean = function(v)
        return type(v) == "boolean"
    end,
}

local function bounded(value, schema, where)
    local size = type(value) == "string" and utf8.len(value)
    local count = is_list(value) and #value
    for rule, holds in pairs {
        minimum = type(value) ~= "number" or value >= (schema.minimum or value),
        maximum = type(value) ~= "number" or value <= (schema.maximum or value),
        minLength = not size or size >= (schema.minLength or 0),
        maxLength = not size or size <= (schema.maxLength or size),
        minItems = not count or count >= (schema.minItems or 0),
        maxItems = not count or count <= (schema.maxItems or count),
    } do
        if not holds then
            return string.format("%s: %s", where, rule)
        end
    end
end

local function one_of(value, allowed)
    for _, item in ipairs(allowed) do
        if item == value then
            return true
        end
    end
    return false
end

local function members(value, schema, root, where)
    for _, name in ipairs(schema.required or {}) do
        if value[name] == nil then
            return string.format("%s: no %s", where, name)
        end
    end
    for name, member in pairs(value) do
        local rule = (schema.properties or {})[name]
        if rule == nil then
            rule = schema.additionalProperties
        end
        local why = judge(member, rule, root, where .. "/" .. name)
        if why then
            return why
        end
    end
end

local function items(value, schema, root, where)
    for i, item in ipairs(value) do
        local why = judge(item, schema.items, root, where .. "/" .. i)
        if why then
            return why
        end
    end
end

local function conditional(value, schema, root, where)
    if schema["if"] == nil then
        return nil
    end
    local branch = judge(value, schema["if"], root, where) and "else"
        or "then"
    return judge(value, schema[branch], root, where)
end

-- What is wrong with the value; nil if nothing is.
function judge(value, schema, root, where)
    if schema == nil or schema == true then
        return nil
    elseif schema == false then
        return where .. ": not allowed"
    end
    if schema["$ref"] then
        local name = schema["$ref"]:match("^#/%$defs/(.+)$")
        return judge(value, root["$defs"][name], root, where)
    end
    if schema.type and not TYPES[schema.type](value) then
        return string.format("%s: not %s", where, schema.type)
    elseif schema.enum and not one_of(value, schema.enum) then
        return where .. ": not in the list"
    elseif schema.const ~= nil and schema.const ~= value then
        return where .. ": another value"
    end
    local why = bounded(value, schema, where)
    if not why and type(value) == "table" and value ~= json.null then
        local each = schema.type == "array" and items or members
        why = each(value, schema, root, where)
    end
    return why or conditional(value, schema, root, where)
end

function M.judge(value, schema)
    return judge(value, schema, schema, "")
end

return M
