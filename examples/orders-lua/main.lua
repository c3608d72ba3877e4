local linli = require "linli"

local p = linli.plugin()

p:put("/items/:item", function(call)
    call.body.id = call.params.item
    return 200, call.db.item:put(call.body)
end)

p:get("/items", function(call)
    local items, after = call.db.item:list { cursor = call.query.cursor }
    return 200, { items = items, next_cursor = after }
end)

-- Fifty at once sell ten of ten: the call is a transaction.
p:post("/orders", function(call)
    local item = call.db.item:get(call.body.item) or call:fail("orders/no-item")
    if item.left < call.body.count then call:fail("orders/sold-out") end
    call.db.item:patch(item.id, { left = item.left - call.body.count })
    local order = call.db.order:insert {
        item = item.id, count = call.body.count, buyer = call.resident.id,
        fen = item.price_fen * call.body.count, state = "open",
        made_at = call.now, pay_by = call.now + 15 * linli.minute,
    }
    call:timer { key = order.id, at = order.pay_by, run = "cancel_unpaid",
                 with = { id = order.id } }
    return 201, order
end)

p:get("/orders", function(call)
    local items, after = call.db.order:list {
        index = "by_buyer", eq = { call.resident.id }, descending = true,
        cursor = call.query.cursor }
    return 200, { items = items, next_cursor = after }
end)

-- Paid, told and counted, or nothing of it.
p:post("/orders/:order/pay", function(call)
    local order = call.db.order:get(call.params.order)
    if not order or order.buyer ~= call.resident.id
        or order.state ~= "open" then call:fail("orders/not-open") end
    call:cancel(order.id)
    call:event("orders.paid", { id = order.id, fen = order.fen })
    call:meter("orders.gmv_fen", order.fen, { event_id = order.id })
    return 200, call.db.order:patch(order.id, { state = "paid" })
end)

p:timer("cancel_unpaid", function(call, with)
    local order = call.db.order:patch(with.id, { state = "cancelled" })
    local item = call.db.item:get(order.item)
    if item then
        call.db.item:patch(item.id, { left = item.left + order.count })
    end
end)

return p
