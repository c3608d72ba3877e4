-- tests/hostile/lua/bombs.lua: one call of a library function that takes for
-- ever, or wants more than there is. A count hook sees none of them.
local bombs = {}

local dots = (".-"):rep(20) .. "b"
local text = ("a"):rep(3000)

function bombs.find() return text:find(dots) end
function bombs.match() return text:match(dots) end
function bombs.gmatch()
  for _ in text:gmatch(dots) do end
end
function bombs.gsub() return (text:gsub(dots, "")) end

function bombs.match_optional()
  return (("a"):rep(40)):match(("a?"):rep(40) .. ("a"):rep(40))
end

function bombs.balanced()
  return (("("):rep(300000):gsub("%b()", ""))
end

function bombs.find_plain()
  return (("a"):rep(4000000)):find(("a"):rep(2000000) .. "b", 1, true)
end

function bombs.find_pcall()
  while true do pcall(string.find, text, dots) end
end

function bombs.find_in_coroutine()
  return coroutine.wrap(function() return text:find(dots) end)()
end

function bombs.find_in_close()
  local _ <close> = setmetatable({}, { __close = function()
    text:find(dots)
  end })
end

function bombs.find_after_wait(call)
  call.host.probe_wait(call.body.ms)
  return text:find(dots)
end

function bombs.rep_nothing() return #(""):rep(math.maxinteger) end
function bombs.rep_separator() return #(""):rep(1 << 40, "") end
function bombs.rep_long() return #("x"):rep(1 << 40) end
function bombs.rep_overflow() return #("xx"):rep(math.maxinteger) end

-- A table whose length is a lie.
local function long(bytes)
  return setmetatable({}, { __len = function() return bytes or 1 << 50 end })
end

function bombs.move_far() table.move({}, 1, 1 << 50, 2) end
function bombs.move_back() table.move({}, 2, 1 << 50, 1) end
function bombs.remove_lie() table.remove(long(), 1) end
function bombs.insert_lie() table.insert(long(), 1, 1) end
function bombs.concat_lie() return #table.concat(long(1 << 30)) end
function bombs.sort_lie() table.sort(long(1 << 30)) end
function bombs.unpack_lie() return select("#", table.unpack(long())) end
function bombs.unpack_far() return select("#", table.unpack({}, 1, 1 << 30)) end
function bombs.ipairs_endless()
  for _ in ipairs(setmetatable({}, { __index = function() return 1 end })) do
  end
end

function bombs.sort_much()
  local t = {}
  for i = 1, 800000 do t[i] = i * 7919 % 800011 end
  while true do table.sort(t, function(a, b) return a > b end) end
end

function bombs.sort_inconsistent()
  local t = {}
  for i = 1, 1000 do t[i] = i end
  while true do pcall(table.sort, t, function() return true end) end
end

function bombs.tonumber_long()
  local digits = ("1"):rep(1000000)
  while true do tonumber(digits, 10) end
end

function bombs.compare_long()
  local a, b = ("a"):rep(1000000) .. "b", ("a"):rep(1000000) .. "c"
  while a < b do end
end

function bombs.utf8_long()
  local s = ("x"):rep(4000000)
  while true do utf8.len(s) end
end

function bombs.format_wide()
  while true do string.format("%99.99f", 1e308) end
end

function bombs.pack_long()
  local s = ("x"):rep(1000000)
  while true do string.pack("s4", s) end
end

function bombs.reverse_long()
  local s = ("x"):rep(4000000)
  while true do s:reverse() end
end

function bombs.print_endless()
  while true do print(("x"):rep(5000)) end
end

return bombs
