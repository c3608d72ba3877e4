-- linli.fetch: what call:await takes for a request to another server. A slip is
-- told where it is written; the host judges the rest when it is awaited.
local error, next, pairs = error, next, pairs
local tostring, type, math_type = tostring, type, math.type

local methods = { GET = true, HEAD = true, POST = true, PUT = true,
  PATCH = true, DELETE = true }

local function integer(value)
  return math_type(value) == "integer" or "no integer"
end

local function of(wanted, otherwise)
  return function(value)
    return type(value) == wanted or otherwise
  end
end

-- Whether a value is one, or what is wrong with it.
local members = {
  method = function(value)
    return methods[value] or "none of GET, HEAD, POST, PUT, PATCH, DELETE"
  end,
  url = of("string", "no string"),
  headers = of("table", "no table"),
  body = of("string", "no string; json takes a value"),
  json = function() return true end,
  timeout_ms = integer,
  max_bytes = integer,
}

local function wrong(what)
  error("linli.fetch: " .. what, 3)
end

return function(request)
  local copy = {}
  if type(request) ~= "table" then wrong("it takes one table") end
  for name, value in pairs(request) do
    local member = members[name]
    if not member then wrong("'" .. tostring(name) .. "' is not known") end
    local said = member(value)
    if said ~= true then wrong("'" .. name .. "' is " .. said) end
    copy[name] = value
  end
  if not copy.url then wrong("'url' is missing") end
  if copy.json ~= nil and copy.body then wrong("it has both json and body") end
  if copy.headers then
    local headers = {}
    for name, value in pairs(copy.headers) do
      if type(name) ~= "string" or type(value) ~= "string" then
        wrong("headers are names and strings")
      end
      headers[name] = value
    end
    -- An empty table is a map here.
    copy.headers = next(headers) and headers or nil
  end
  return { fetch = copy }
end
