-- tests/hostile/lua/loops.lua: code that never ends by itself.
local loops = {}

function loops.plain()
  while true do end
end

function loops.goto_back()
  ::again::
  goto again
end

function loops.tail_call()
  local function f(n)
    return f(n + 1)
  end
  return f(0)
end

function loops.repeat_until()
  local n = 0
  repeat n = n + 1 until n < 0
end

function loops.numeric_for()
  for _ = 1, math.huge do end
end

function loops.iterator()
  for _ in function() return 1 end do end
end

function loops.pairs_metamethod()
  local t = setmetatable({}, { __pairs = function()
    return function() return 1 end
  end })
  for _ in pairs(t) do end
end

local function looping(event)
  return setmetatable({}, { [event] = function()
    while true do end
  end })
end

function loops.meta_index() return looping("__index").x end
function loops.meta_newindex() looping("__newindex").x = 1 end
function loops.meta_add() return looping("__add") + 1 end
function loops.meta_concat() return looping("__concat") .. "" end
function loops.meta_len() return #looping("__len") end
function loops.meta_eq() return looping("__eq") == looping("__eq") end
function loops.meta_lt() return looping("__lt") < looping("__lt") end
function loops.meta_call() return looping("__call")() end
function loops.meta_unm() return -looping("__unm") end
function loops.meta_tostring() return tostring(looping("__tostring")) end

function loops.meta_many()
  local x = setmetatable({}, { __add = function(a) return a end })
  while true do x = x + 1 end
end

-- in coroutines

function loops.coroutine()
  coroutine.wrap(function() while true do end end)()
end

function loops.coroutine_deep()
  local function f(n)
    if n == 0 then
      while true do end
    end
    return coroutine.wrap(f)(n - 1)
  end
  f(100)
end

function loops.coroutine_slices()
  local co = coroutine.wrap(function() while true do coroutine.yield() end end)
  while true do co() end
end

function loops.coroutine_fresh()
  while true do
    coroutine.wrap(function() for _ = 1, 50 do end end)()
  end
end

function loops.coroutine_close()
  local co = coroutine.create(function()
    local _ <close> = looping("__close")
    coroutine.yield()
  end)
  coroutine.resume(co)
  coroutine.close(co)
end

-- where the end of a run is an error that somebody catches

local function forever()
  while true do end
end

function loops.pcall()
  while true do pcall(forever) end
end

function loops.pcall_error()
  while true do pcall(error, "again") end
end

function loops.pcall_then_return()
  return { pcall(forever) }
end

function loops.pcall_tower()
  local function f(n)
    if n == 0 then forever() end
    while true do pcall(f, n - 1) end
  end
  f(50)
end

function loops.xpcall()
  while true do xpcall(forever, function() return 1 end) end
end

function loops.xpcall_handler()
  xpcall(error, forever)
end

function loops.xpcall_handler_again()
  local function handler()
    xpcall(error, handler)
    forever()
  end
  xpcall(forever, handler)
end

function loops.resume()
  while true do coroutine.resume(coroutine.create(forever)) end
end

function loops.wrap()
  while true do pcall(coroutine.wrap(forever)) end
end

function loops.close()
  local _ <close> = looping("__close")
end

function loops.close_after_the_end()
  local _ <close> = looping("__close")
  forever()
end

function loops.close_pcall()
  while true do
    pcall(function()
      local _ <close> = looping("__close")
      error("x")
    end)
  end
end

function loops.close_chain()
  local function f()
    local _ <close> = setmetatable({}, { __close = f })
    forever()
  end
  f()
end

function loops.for_closing_value()
  while true do
    for _ in function() return 1 end, nil, nil, looping("__close") do break end
  end
end

function loops.sort_comparator()
  table.sort({ 3, 2, 1 }, forever)
end

function loops.gsub_callback()
  return (("x"):gsub(".", forever))
end

function loops.gsub_pcall()
  while true do
    ("xx"):gsub(".", function() pcall(forever) end)
  end
end

function loops.host_calls(call)
  while true do pcall(call.host.probe_echo, {}) end
end

function loops.host_call_never_heeded(call)
  pcall(call.host.probe_wait, 5000)
  forever()
end

return loops
