-- tests/hostile/lua/memory.lua: growth without bound.
local memory = {}

local function grow_tables()
  local t = {}
  while true do t[#t + 1] = {} end
end

memory.tables = grow_tables

function memory.one_table()
  local t = {}
  for i = 1, math.huge do t[i] = i end
end

function memory.hash()
  local t = {}
  for i = 1, math.huge do t["k" .. i] = true end
end

function memory.string_doubled()
  local s = "x"
  while true do s = s .. s end
end

function memory.strings()
  local t = {}
  for i = 1, math.huge do t[i] = ("x"):rep(1000) .. i end
end

function memory.coroutines()
  local t = {}
  for i = 1, math.huge do t[i] = coroutine.create(function() end) end
end

function memory.coroutines_started()
  local t = {}
  for i = 1, math.huge do
    t[i] = coroutine.wrap(function() coroutine.yield() end)
    t[i]()
  end
end

function memory.closures()
  local t = {}
  for i = 1, math.huge do t[i] = function() return i end end
end

function memory.retried()
  while true do pcall(grow_tables) end
end

function memory.retried_strings()
  while true do pcall(string.rep, "x", 20000000) end
end

function memory.handler()
  xpcall(grow_tables, grow_tables)
end

function memory.swallowed()
  pcall(grow_tables)
  return "went on"
end

function memory.swallowed_in_coroutine()
  coroutine.resume(coroutine.create(grow_tables))
  return "went on"
end

function memory.close()
  local _ <close> = setmetatable({}, { __close = grow_tables })
  grow_tables()
end

function memory.stack()
  local function f(...) return f(1, ...) end
  return f()
end

function memory.varargs()
  local t = {}
  for i = 1, 900000 do t[i] = i end
  local function f(...) return select("#", ..., f(...)) end
  return f(table.unpack(t))
end

function memory.concat()
  local t = {}
  for i = 1, 1000 do t[i] = ("x"):rep(10000) end
  while true do t[#t + 1] = table.concat(t) end
end

function memory.gsub()
  local s = ("x"):rep(10000)
  while true do s = s:gsub(".", "%0%0%0%0%0%0%0%0") end
end

function memory.format()
  local s = "x"
  while true do s = ("%s%s%s%s"):format(s, s, s, s) end
end

function memory.pack()
  local t = {}
  while true do t[#t + 1] = string.pack("s4", ("x"):rep(1000000)) end
end

function memory.utf8()
  local t = {}
  for i = 1, 200000 do t[i] = 0x10ffff end
  local s = {}
  while true do s[#s + 1] = utf8.char(table.unpack(t, 1, 100000)) .. #s end
end

-- The rest of a call that must not be the next call's trouble.
local hoard = {}
function memory.hoard()
  for _ = 1, 64 do hoard[#hoard + 1] = ("x"):rep(65536) .. #hoard end
  return { hoarded = #hoard }
end

return memory
