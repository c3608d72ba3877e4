-- meals: a kitchen that brings meals to the door. What it knows of a resident
-- is what they let it know.
local linli = require("linli")
local p = linli.plugin()

-- `phone_relay` comes with the call: plugin.json says that ordering needs it.
p:post("/meals", function(call)
  local meal = call.db.meal:insert { eater = call.resident.id,
    dish = call.body.dish, call_at = call.fields.phone_relay }
  return 201, { id = meal.id, call_at = meal.call_at }
end)

-- What the courier reads at the door. The notes are asked for now, not when the
-- meal was ordered: they may have been taken back since.
p:get("/meals/:id", function(call)
  local meal = call.db.meal:get(call.params.id) or call:fail("meals/unknown")
  local notes, why = call.data:get { resident = meal.eater,
    field = "care_notes", purpose = "delivery" }
  return 200, { dish = meal.dish, call_at = meal.call_at, notes = notes,
                without_notes = why and why.code }
end)

return p
