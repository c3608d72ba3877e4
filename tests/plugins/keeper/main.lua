-- Reads what residents have, for the scenario of releases.
local linli = require("linli")
local p = linli.plugin()

local function read(call, ask)
  local value, why = call.data:get { resident = ask.resident,
                                     field = ask.field, purpose = ask.purpose }
  return { value = value, why = why }
end

p:post("/read", function(call) return 200, read(call, call.body) end)

p:post("/keep", function(call)
  call.db.note:put { id = "kept", at = call.now }
  return 201, read(call, call.body)
end)

-- Reads in the second step of a call, when another has answered.
p:post("/ask", function(call)
  return call:await(linli.fetch { url = "http://good.test/hello" }, "got",
                    call.body)
end)
p:answer("got", function(call, answer, ask)
  return 200, read(call, ask)
end)

-- Has the value for a while before it answers.
p:post("/hold", function(call)
  local found = read(call, call.body)
  call.host.probe_wait(call.body.ms)
  return 200, found
end)

p:post("/visit", function(call)
  call.db.visit:put { id = "v1", who = call.resident.id }
  return 204
end)

p:post("/later", function(call)
  local set = call.body.job and call.job or call.timer
  set(call, { at = call.now + 1000, run = call.body.job and "glance" or "look",
              with = call.body, subject = call.body.subject })
  return 204
end)

local function note(call, with)
  local found = read(call, with)
  call.db.note:put { id = with.id, value = found.value, why = found.why }
end
p:timer("look", note)
p:job("glance", note)

p:get("/notes/:id", function(call)
  return 200, call.db.note:get(call.params.id) or linli.null
end)

p:get("/who", function(call) return 200, { id = call.resident.id } end)
p:get("/mine", function(call) return 200, call.fields end)
p:get("/linger", function(call)
  call.host.probe_wait(1500)
  return 200, call.fields
end)
p:get("/needs", function(call) return 200, call.fields end)
p:get("/trail", function(call) return 200, call.fields end)

return p
