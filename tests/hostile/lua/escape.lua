-- tests/hostile/lua/escape.lua: ways out of the state, leaks of addresses,
-- marks for another instance, and known bugs of the interpreter.
local linli = require "linli"

local escape = {}

-- Names that give a script more than it was given.
local forbidden = { "io", "os", "debug", "package", "load", "loadstring",
  "loadfile", "dofile", "collectgarbage", "warn", "dump", "popen", "execute",
  "getenv", "loadlib", "searchers", "getregistry", "sethook", "getupvalue",
  "setupvalue", "upvaluejoin", "getinfo", "newproxy", "setfenv", "getfenv",
  "module", "exit", "tmpname", "open", "lines", "setlocale", "__gc" }

-- Every value that can be reached: fields, metatables, iterators.
local function walk(value, seen, visit, path)
  if seen[value] or #path > 200 then return end
  seen[value] = true
  local meta = getmetatable(value)
  if type(meta) == "table" then
    walk(meta, seen, visit, path .. "!")
  end
  if type(value) ~= "table" then return end
  for k, v in pairs(value) do
    visit(k, v, path)
    if type(v) == "table" or type(v) == "userdata" then
      walk(v, seen, visit, path .. "." .. tostring(k))
    end
    if type(k) == "table" then walk(k, seen, visit, path .. "[]") end
  end
end

function escape.walk(call)
  local bad, found = {}, {}
  for _, name in ipairs(forbidden) do bad[name] = true end
  local roots = { _G, call, call.host, linli, getmetatable(""), require,
    getmetatable(call), { coroutine.running() }, { pairs {} },
    { ("x"):gmatch(".") }, { utf8.codes("x") } }
  for i, root in pairs(roots) do
    walk(root, {}, function(k, v, path)
      local name = tostring(k)
      if bad[name] and linli.log[name] ~= v then
        found[#found + 1] = path .. "." .. name
      end
    end, "root" .. i)
  end
  return linli.array(found)
end

function escape.globals()
  local names = {}
  for name in pairs(_G) do names[#names + 1] = name end
  return linli.array(names)
end

function escape.require()
  local found = {}
  for _, name in ipairs { "io", "os", "debug", "package", "ffi", "jit",
    "../main", "/etc/passwd", "linli.core", "plugin.json", "main\0x",
    "lua", "loops.lua", ("x"):rep(100000) } do
    local ok, what = pcall(require, name)
    if ok then found[#found + 1] = name .. " " .. type(what) end
  end
  return linli.array(found)
end

function escape.bytecode()
  local found = {}
  for _, name in ipairs { "load", "loadstring", "loadfile", "dofile" } do
    if _G[name] ~= nil then found[#found + 1] = name end
  end
  if string.dump ~= nil then found[#found + 1] = "string.dump" end
  return linli.array(found)
end

-- addresses

local function has_address(text)
  text = tostring(text)
  return text:find("0x%x%x%x%x") ~= nil or
    text:find("%x%x%x%x%x%x%x%x%x%x%x") ~= nil
end

function escape.addresses(call)
  local co = coroutine.create(function() end)
  local things = { {}, print, function() end, co, call, call.host,
    linli.null, linli.array {}, getmetatable(""), string.find, require }
  local found = {}
  local function look(where, text)
    if has_address(text) then
      found[#found + 1] = where .. ": " .. tostring(text)
    end
  end
  for i, thing in ipairs(things) do
    look("tostring " .. i, thing)
    for _, format in ipairs { "%p", "%s", "%q", "%5p", "%-20p", "%10.5p" } do
      look(format .. i, select(2, pcall(string.format, format, thing)))
    end
    look("concat " .. i, select(2, pcall(function() return thing .. "" end)))
    look("add " .. i, select(2, pcall(function() return thing + 1 end)))
    look("call " .. i, select(2, pcall(function() return thing.x.y() end)))
    look("key " .. i, select(2, pcall(next, {}, thing)))
    look("error " .. i, select(2, pcall(error, thing)))
    look("setmetatable " .. i, select(2, pcall(setmetatable, 1, thing)))
    look("tonumber " .. i, select(2, pcall(tonumber, thing)))
  end
  return linli.array(found)
end

-- Host paths in messages.
function escape.paths()
  local found = {}
  for _, f in ipairs { function() error("x") end, function() return nil + 1 end,
    function() return require("nothing") end,
    function() return string.rep() end } do
    local text = tostring(select(2, pcall(f)))
    if text:find("/") or text:find("runtime") then found[#found + 1] = text end
  end
  return linli.array(found)
end

-- marks: what one call or instance leaves for the next

local kept = nil
local library_tables = { "string", "table", "math", "utf8", "coroutine" }

function escape.mark()
  local done = {}
  local function try(name, f)
    if pcall(f) then done[#done + 1] = name end
  end
  kept = "mark"
  try("global", function() mark = "mark" end)
  try("_G", function() _G.mark2 = "mark" end)
  try("rawset _G", function() rawset(_G, "mark3", "mark") end)
  try("string metatable", function() getmetatable("").mark = "mark" end)
  try("rawset string metatable", function()
    rawset(getmetatable(""), "__add", function() return "mark" end)
  end)
  try("setmetatable on string", function() setmetatable("", {}) end)
  try("setmetatable _G", function()
    setmetatable(_G, { __index = function() return "mark" end })
  end)
  for _, name in ipairs(library_tables) do
    try(name, function() _G[name].mark = "mark" end)
    try("rawset " .. name, function() rawset(_G[name], "mark", "mark") end)
    try("setmetatable " .. name, function()
      setmetatable(_G[name], { __index = function() return "mark" end })
    end)
    try("table.insert " .. name, function() table.insert(_G[name], "mark") end)
    try("table.move " .. name, function()
      table.move({ "mark" }, 1, 1, 1, _G[name])
    end)
  end
  try("linli", function() linli.mark = "mark" end)
  try("rawset linli", function() rawset(linli, "mark", "mark") end)
  try("linli.money", function() linli.money.mark = "mark" end)
  try("linli.null", function() linli.null.mark = "mark" end)
  try("module", function() escape.mark_in_module = "mark" end)
  try("rawset module", function() rawset(escape, "mark4", "mark") end)
  return linli.array(done)
end

-- Called by main.lua, in this instance and in another community's.
function escape.marks()
  local found = {}
  local function look(name, value)
    if value ~= nil then found[#found + 1] = name end
  end
  look("upvalue", kept)
  for _, name in ipairs { "mark", "mark2", "mark3" } do
    look(name, rawget(_G, name))
  end
  look("string", ("").mark)
  look("string add", select(2, pcall(function() return "x" + {} end)) == "mark"
    or nil)
  for _, name in ipairs(library_tables) do
    look(name, _G[name].mark)
    look(name .. "[1]", _G[name][1])
  end
  look("linli", linli.mark)
  look("linli.money", linli.money.mark)
  look("module", rawget(escape, "mark_in_module"))
  look("module 4", rawget(escape, "mark4"))
  return found
end

-- __gc runs where no hook can reach: it must not be had.
function escape.gc()
  local found = {}
  local ran = false
  local function loop() ran = true while true do end end
  local ok = pcall(setmetatable, {}, { __gc = loop })
  if ok then found[#found + 1] = "setmetatable with __gc" end
  local meta = {}
  setmetatable({}, meta)
  meta.__gc = loop
  if pcall(setmetatable, {}, meta) then
    found[#found + 1] = "setmetatable with a late __gc"
  end
  local garbage
  for i = 1, 20000 do garbage = { i } end
  if ran then found[#found + 1] = "a finalizer ran" end
  return linli.array(found)
end

-- known bugs of 5.4.4; how they end is not ours to say, but the host is well

-- lua/lua 983bc433: the table that __newindex names is held weakly only, and
-- the allocation that fails collects it while it grows.
function escape.weak_newindex()
  local hog = {}
  pcall(function()
    while true do hog[#hog + 1] = ("x"):rep(8192) .. #hog end
  end)
  for _ = 1, 2000000 do
    local meta = setmetatable({}, { __mode = "v" })
    meta.__newindex = {}
    local t = setmetatable({}, meta)
    for j = 1, 40 do pcall(function() t[j] = { j } end) end
  end
end

-- The same with the memory filled a little less each time.
function escape.weak_newindex_levels()
  for level = 1, 400 do
    local hog = {}
    for i = 1, 200 + level do hog[i] = ("x"):rep(16384) .. i end
    local meta = setmetatable({ __newindex = {} }, { __mode = "v" })
    local t = setmetatable({}, meta)
    for j = 1, 300 do t["k" .. j] = { j } end
  end
end

-- lua/lua 1b0f943d: a table that the collector has listed as all weak gets a
-- metatable that says otherwise.
function escape.weak_changed()
  local kinds = { "k", "v", "kv", "" }
  local tables = {}
  for i = 1, 200 do
    tables[i] = setmetatable({}, { __mode = "kv" })
  end
  for round = 1, math.huge do
    local t = tables[round % 200 + 1]
    t[{}] = {}
    t[round] = { round }
    setmetatable(t, { __mode = kinds[round % 4 + 1] })
    getmetatable(t).__mode = kinds[(round + 1) % 4 + 1]
    if round % 50 == 0 then tables[round % 200 + 1] = setmetatable({}, {}) end
  end
end

return escape
