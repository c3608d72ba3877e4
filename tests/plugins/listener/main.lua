-- Keeps what tests/plugins/tally tells, and how often it was told.
local linli = require "linli"
local p = linli.plugin()

p:event("tally.entered", function(call, event)
  local before = call.db.heard:get(event.data.id)
  call.db.heard:put { id = event.data.id, amount = event.data.amount,
                      seq = event.seq, times = before and before.times + 1 or 1 }
end)

local function heard(call)
  local found = call.db.heard:get(call.params.id)
  return 200, { times = found and found.times or 0 }
end

p:get("/heard/:id", heard)
p:get("/glance/:id", heard)

return p
