-- Keeps what a resident says in every place there is, and forgets it when it
-- is told to; for tests of erasure.
local linli = require "linli"
local p = linli.plugin()

p:post("/notes", function(call)
  local me, text = call.resident.id, call.body.text
  call.db.note:insert { resident = me, text = text }
  call.db.invoice:insert { resident = me, text = text, fen = 100 }
  call.db.loose:insert { who = me, text = call.body.loose or "" }
  call:notify { to = me, template = "told", with = { text = text } }
  local later = call.now + 30 * linli.day
  call:timer { at = later, run = "ring", with = { text = text }, subject = me }
  call:job { at = later, run = "work", with = { text = text }, subject = me }
  call:event("memo.kept", { text = text }, { subject = me })
  call:alert("memo.odd", { text = text }, { subject = me })
  return 201, { text = text }
end)

p:post("/bulk", function(call)
  for i = 1, call.body.count do
    call.db.note:insert { resident = call.resident.id, text = call.body.text .. i }
  end
  return 201, { count = call.body.count }
end)

p:get("/notes", function(call)
  local texts = linli.array()
  for _, note in ipairs((call.db.note:list { limit = 100 })) do
    if note.resident == call.resident.id then texts[#texts + 1] = note.text end
  end
  return 200, { texts = texts }
end)

-- From now on it refuses to forget.
p:post("/stubborn", function(call)
  call.db.loose:put { id = "stubborn", who = "nobody", text = "" }
  return 200, {}
end)

p:compliance("resident.redact", function(call, input)
  if call.db.loose:get("stubborn") then error("it will not") end
  while true do
    local loose = call.db.loose:find("by_who", input.resident)
    if not loose then break end
    call.db.loose:delete(loose.id)
  end
end)

-- What it keeps where the runtime does not see whom it is about.
p:compliance("resident.export", function(call, input)
  if call.db.loose:get("stubborn") then error("it will not") end
  local texts = linli.array()
  for _, loose in ipairs((call.db.loose:list { limit = 100 })) do
    if loose.who == input.resident then texts[#texts + 1] = loose.text end
  end
  return { loose = texts, helped_by = "staff:s7", neighbour = string.rep("ab", 16) }
end)

p:timer("ring", function() end)
p:job("work", function() end)

return p
