-- Asks for money and writes down all that it is told of it.
local linli = require "linli"
local p = linli.plugin()

local function ask(call)
  local b = call.body
  return call:pay { amount_fen = b.amount_fen, title = b.title or "停车费",
                    channel = b.channel or "wechat", pay_by = b.pay_by,
                    subject = b.about_me and call.resident.id or nil,
                    with = b.with }
end

p:post("/orders", function(call)
  local ok, pay = pcall(ask, call)
  if not ok then return 409, { error = tostring(pay) } end
  if call.body.fail then error("nothing of this") end
  return 201, pay
end)

-- The same, and the answer is what the provider says to who pays.
p:post("/purchases", function(call)
  local pay = ask(call)
  return call:await(linli.paid(pay.id), "bought", { asked = call.now })
end)

p:answer("bought", function(call, payment, state)
  return 200, { payment = payment, state = state }
end)

p:post("/refunds", function(call)
  local b = call.body
  local ok, refund = pcall(function()
    return call:refund { payment = b.payment, amount_fen = b.amount_fen,
                         reason = b.reason, key = b.key }
  end)
  if not ok then return 409, { error = tostring(refund) } end
  return 201, refund
end)

p:get("/orders/:id", function(call)
  local heard = call.db.heard:list { index = "by_payment",
                                     eq = { call.params.id }, limit = 100 }
  return 200, { payment = call:payment(call.params.id),
                heard = linli.array(heard) }
end)

p:post("/spin", function()
  while true do end
end)

p:payment(function(call, payment)
  local before = call.db.heard:count { index = "by_payment",
                                       eq = { payment.id } }
  if payment.with and payment.with.hang then
    while true do end
  end
  if payment.with and payment.with.good_at and
     call.now < payment.with.good_at then
    error("not yet")
  end
  call.db.heard:insert { payment = payment.id, n = before + 1,
                         state = payment.state, kind = call.kind,
                         refund = payment.refund_id, with = payment.with,
                         refunded_fen = payment.refunded_fen }
end)

return p
