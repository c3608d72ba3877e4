-- One call that has every effect there is; tests/faults counts them.
local linli = require "linli"
local p = linli.plugin()

-- A sum of its own for each side, so that both are contended.
local function add(call, name, amount)
  local sum = call.db.sum:get(name) or { id = name, count = 0, amount = 0 }
  sum.count, sum.amount = sum.count + 1, sum.amount + amount
  call.db.sum:put(sum)
  return sum
end

p:post("/entries", function(call)
  local want = call.body
  local entry, why = call.db.entry:insert {
    id = want.id, amount = want.amount, note = want.note, settled = 0 }
  if not entry then return 409, { id = want.id, why = why } end
  local sum = add(call, "entered", want.amount)
  call:timer { at = call.now + want.after_ms, run = "settle", key = want.id,
               with = { id = want.id } }
  call:event("tally.entered", { id = want.id, amount = want.amount })
  call:meter("tally.entry", 1, { event_id = want.id })
  return 201, { id = want.id, place = sum.count, random = math.random(2 ^ 40) }
end)

p:timer("settle", function(call, with)
  local entry = call.db.entry:get(with.id)
  call.db.entry:patch(with.id, { settled = entry.settled + 1 })
  add(call, "settled", entry.amount)
end)

p:get("/entries/:id", function(call)
  local entry = call.db.entry:get(call.params.id)
  return entry and 200 or 404, entry
end)

p:get("/sum", function(call)
  return 200, { entered = call.db.sum:get("entered"),
                settled = call.db.sum:get("settled") }
end)

return p
