-- tests/hostile/lua/values.lua: recursion, and values that are no JSON: as
-- results, as errors, as arguments of host calls and log lines.
local values = {}

local function looping(event)
  return setmetatable({}, { [event] = function()
    while true do end
  end })
end

-- recursion

function values.recursion()
  local function f() return 1 + f() end
  return f()
end

function values.recursion_pcall()
  local function f() return pcall(f) end
  return { f() }
end

function values.recursion_coroutines()
  local function f() return coroutine.wrap(f)() end
  return f()
end

function values.recursion_gsub()
  local function f() return (("x"):gsub(".", f)) end
  return f()
end

function values.recursion_sort()
  local function f()
    table.sort({ 2, 1 }, f)
    return false
  end
  return f()
end

function values.recursion_tostring()
  local t = setmetatable({}, {})
  getmetatable(t).__tostring = function() return tostring(t) end
  return tostring(t)
end

function values.recursion_index()
  local t = {}
  setmetatable(t, { __index = function(_, k) return t[k + 1] end })
  return t[1]
end

function values.index_cycle()
  local a, b = {}, {}
  setmetatable(a, { __index = b })
  setmetatable(b, { __index = a })
  return a.x
end

-- Each coroutine closes the one before it (lua/lua 1e64c139).
function values.close_chain()
  local before
  for _ = 1, 50000 do
    local mine = before
    local co = coroutine.create(function()
      local _ <close> = setmetatable({}, { __close = function()
        if mine then coroutine.close(mine) end
      end })
      coroutine.yield()
    end)
    coroutine.resume(co)
    before = co
  end
  coroutine.close(before)
end

function values.close_nested()
  local function f(n)
    local _ <close> = setmetatable({}, { __close = function()
      f(n + 1)
    end })
    error("x")
  end
  f(1)
end

-- results

function values.result_itself()
  local t = {}
  t.t = t
  return 200, t
end

function values.result_deep()
  local t = {}
  for _ = 1, 200000 do t = { t } end
  return 200, t
end

function values.result_long()
  return 200, ("x"):rep(20000000)
end

function values.result_wide()
  local t = {}
  for i = 1, 400000 do t[i] = i end
  return 200, t
end

function values.result_looping()
  return 200, setmetatable({ 1 }, {
    __index = looping("x").x,
    __len = function() while true do end end,
    __pairs = function() while true do end end,
  })
end

function values.result_index_loop()
  return 200, { a = looping("__index"), b = looping("__tostring") }
end

function values.result_nan() return 200, 0 / 0 end
function values.result_function() return 200, print end
function values.result_coroutine() return 200, coroutine.create(print) end
function values.result_table_key() return 200, { [{}] = 1 } end
function values.result_bytes() return 200, "\xff\xfe\0" end
function values.result_status() return 700, {} end
function values.result_status_low() return 101, {} end
function values.result_204() return 204, { body = true } end
function values.result_unpacked() return 200, table.unpack({}, 1, 100000) end

-- errors

function values.error_looping() error(looping("__tostring")) end
function values.error_nil() error() end
function values.error_itself()
  local t = {}
  t.t = t
  error(setmetatable(t, { __index = t, __tostring = function() error(t) end }))
end
function values.error_long() error(("x"):rep(20000000)) end
function values.error_bytes() error("\xff\0\27[31m\r\n") end
function values.error_in_error()
  xpcall(error, function() error("again") end)
  error(setmetatable({}, { __tostring = function() return {} end }))
end
function values.problem_unknown(call) call:fail("sandbox/breaker-open") end
function values.problem_long(call)
  call:fail(("x"):rep(100000), ("y"):rep(1000000))
end
function values.problem_bytes(call) call:fail("hostile/declared", "\xff") end

-- to the host

function values.echo_itself(call)
  local t = {}
  t.t = t
  return call.host.probe_echo(t)
end

function values.echo_deep(call)
  local t = {}
  for _ = 1, 200000 do t = { t } end
  return call.host.probe_echo(t)
end

function values.echo_long(call)
  return call.host.probe_echo(("x"):rep(2000000))
end

function values.echo_looping(call)
  return call.host.probe_echo(looping("__index"))
end

function values.wait_for_ever(call) call.host.probe_wait(math.maxinteger) end
function values.wait_back(call) call.host.probe_wait(-1) end
function values.wait_in_sort(call)
  table.sort({ 2, 1 }, function() call.host.probe_wait(1) end)
end

function values.log_bytes()
  print("\xff\0\27[31m\r\n" .. ("x"):rep(100000))
  return "logged"
end

return values
