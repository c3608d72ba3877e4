-- Sets many timers and keeps in which order their runs began.
local linli = require "linli"
local p = linli.plugin()

-- Of this process alone: its place in the order, which no document could
-- tell, since all would wait for that one.
local began = 0

p:post("/alarms", function(call)
  for i, at in ipairs(call.body.at) do
    local n = call.body.from + i - 1
    call:timer { at = at, run = "fire", key = "n" .. n, with = { n = n } }
  end
  return 201, { set = #call.body.at }
end)

p:timer("fire", function(call, with)
  began = began + 1
  local place = began -- others begin while this one waits
  local id = "n" .. with.n
  local before = call.db.fired:get(id)
  call.db.fired:put { id = id, n = with.n, place = place, due = call.due,
                      now = call.now,
                      times = before and before.times + 1 or 1 }
end)

return p
