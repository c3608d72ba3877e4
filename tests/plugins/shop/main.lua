-- A shop written without a thought of who else is buying: it reads, subtracts
-- and writes. tests/scenario/test_shop.py; the same in C: ../shop-c/shop.c.
local linli = require "linli"
local p = linli.plugin()

p:post("/stock/:sku", function(call)
  local item = { id = call.params.sku, stock = call.body.stock }
  return 200, call.db.stock:put(item)
end)

p:get("/stock/:sku", function(call)
  return 200, call.db.stock:get(call.params.sku) or call:fail("shop/not-found")
end)

-- -- orders --

local function take(call, sku, qty)
  local item = call.db.stock:get(sku) or call:fail("shop/not-found")
  if item.stock < qty then call:fail("shop/sold-out", sku) end
  item.stock = item.stock - qty
  call.db.stock:put(item)
end

p:post("/orders", function(call)
  take(call, call.body.sku, call.body.qty)
  return 201, call.db.order:insert { sku = call.body.sku, qty = call.body.qty }
end)

-- One of each: both, or neither.
p:post("/baskets", function(call)
  take(call, call.body.first, 1)
  local order = call.db.order:insert { sku = call.body.first, qty = 1 }
  take(call, call.body.second, 1)
  call.db.order:insert { sku = call.body.second, qty = 1 }
  return 201, order
end)

-- ?sku= ?descending= ?limit= ?cursor=
local function query(call)
  local q = call.query
  return {
    index = q.sku and "by_sku", eq = q.sku and { q.sku },
    descending = q.descending ~= nil, limit = math.tointeger(q.limit),
    cursor = q.cursor,
  }
end

p:get("/orders", function(call)
  local items, after = call.db.order:list(query(call))
  return 200, { items = items, next_cursor = after }
end)

p:get("/orders/count", function(call)
  local sku = call.query.sku
  return 200, { count = call.db.order:count(
    sku and { index = "by_sku", eq = { sku } }) }
end)

-- -- counters --

p:post("/counters/:id/increment", function(call)
  local counter = call.db.counter:get(call.params.id)
    or { id = call.params.id, value = 0 }
  counter.value = counter.value + 1
  return 200, call.db.counter:put(counter)
end)

p:get("/counters/:id", function(call)
  return 200, call.db.counter:get(call.params.id) or call:fail("shop/not-found")
end)

-- -- notes: a document of its own for each id --

local function put(collection)
  return function(call)
    call.body.id = call.params.id
    return 200, call.db[collection]:put(call.body)
  end
end

local function get(collection)
  return function(call)
    return 200, call.db[collection]:get(call.params.id)
      or call:fail("shop/not-found")
  end
end

p:put("/notes/:id", put("note"))
p:get("/notes/:id", get("note"))
p:put("/visits/:id", put("visit"))
p:get("/visits/:id", get("visit"))
p:get("/members/:id", get("member"))

p:delete("/notes/:id", function(call)
  return 200, { deleted = call.db.note:delete(call.params.id) }
end)

-- Two ways to say no: what was written stays,
p:post("/notes/:id/returned", function(call)
  call.db.note:insert { id = call.params.id }
  return 409, { said = "no" }
end)

-- or it does not.
p:post("/notes/:id/failed", function(call)
  call.db.note:insert { id = call.params.id }
  call:fail("shop/no", "and nothing is left of it")
end)

-- -- a unique index, and one of intervals --

p:put("/members/:id", function(call)
  call.body.id = call.params.id
  local member, why, index = call.db.member:put(call.body)
  if not member then call:fail("shop/email-taken", why .. " " .. index) end
  return 200, member
end)

p:post("/bookings", function(call)
  local wish = call.body
  local met = call.db.booking:overlaps("by_room", wish.room, wish.from, wish.to)
  if met then call:fail("shop/overlap", met.id) end
  return 201, call.db.booking:insert(wish)
end)

p:post("/bookings/search", function(call)
  local wish = call.body
  return 200, { items = call.db.booking:overlapping("by_room", wish.room,
                                                    wish.from, wish.to) }
end)

-- -- the plugin's own mistakes, after a write --

local wrong = {
  collection = function(call) call.db.nothing:get("x") end,
  index = function(call) call.db.order:list { index = "by_nothing" } end,
  key = function(call) call.db.order:insert { sku = 1.5, qty = 1 } end,
  eq = function(call) call.db.order:list { index = "by_sku", eq = { 1.5 } } end,
  empty = function(call)
    local sku
    call.db.order:list { index = "by_sku", eq = { sku } }
  end,
  document = function(call)
    call.db.note:insert { id = "large", text = ("x"):rep(1024) }
  end,
  id = function(call) call.db.note:insert { id = "line\nbreak" } end,
  interval = function(call)
    call.db.booking:insert { room = "r", from = 0, to = 1001 }
  end,
  query = function(call) call.db.order:list { limit = 101 } end,
}

p:post("/wrong/:what", function(call)
  call.db.note:put { id = "wrong" }
  wrong[call.params.what](call)
  return 200, {}
end)

return p
