-- test/json.lua: reads JSON that is known to be good, such as plugin.json.
-- Lists are marked by `M.list`, null is `M.null`.

local M = { list = { __name = "list" }, null = setmetatable({},
    { __name = "null" }) }

local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
local WORDS = { ["true"] = true, ["false"] = false, null = M.null }

local value

local function skip(text, at)
    return text:find("[^ \t\r\n]", at) or #text + 1
end

local function quoted(text, at)
    local last = at
    repeat
        last = assert(text:find('["\\]', last + 1), "a string does not end")
        local escaped = text:sub(last, last) == "\\"
        last = escaped and last + 1 or last
    until not escaped
    local plain = text:sub(at + 1, last - 1):gsub("\\u(%x%x%x%x)",
        function(hex)
            return utf8.char(tonumber(hex, 16))
        end)
    plain = plain:gsub("\\(.)", function(c)
        return ESCAPES[c] or c
    end)
    return plain, last + 1
end

-- The items between two brackets, each read by `item` into the result.
local function between(text, at, close, item)
    local result = {}
    at = skip(text, at + 1)
    while text:sub(at, at) ~= close do
        at = skip(text, item(result, at))
        if text:sub(at, at) == "," then
            at = skip(text, at + 1)
        end
    end
    return result, at + 1
end

local function object(text, at)
    return between(text, at, "}", function(result, where)
        local name, next_at = quoted(text, where)
        next_at = skip(text, text:find(":", next_at, true) + 1)
        result[name], next_at = value(text, next_at)
        return next_at
    end)
end

local function list(text, at)
    local result, next_at = between(text, at, "]", function(items, where)
        local item, after = value(text, where)
        items[#items + 1] = item
        return after
    end)
    return setmetatable(result, M.list), next_at
end

function value(text, at)
    local first = text:sub(at, at)
    if first == "{" then
        return object(text, at)
    elseif first == "[" then
        return list(text, at)
    elseif first == '"' then
        return quoted(text, at)
    end
    local word = text:match("^%l+", at)
    if word then
        return WORDS[word], at + #word
    end
    local number = assert(text:match("^[-+%d.eE]+", at), "no JSON")
    return math.tointeger(number) or tonumber(number), at + #number
end

function M.decode(text)
    return (value(text, skip(text, 1)))
end

return M
