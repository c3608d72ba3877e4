-- main.lua: for the bench: a call that reads one document and writes one.
local linli = require "linli"
local p = linli.plugin()

local function step(call)
    local id = call.params.id
    local counter = call.db.counter:get(id) or { id = id, n = 0 }
    counter.n = counter.n + 1
    call.db.counter:put(counter)
    return 200, { n = counter.n }
end

p:post("/counters/:id/step", step)
p:post("/counters/:id/free", step)

return p
