-- main.lua: tickets of a museum: what a plugin asks of others and of the host.
--
-- Nothing here waits inside a transaction. What is asked of the museum, of the
-- provider of payments and of the resident's phone happens between two of
-- them, once, whatever crashes.
local linli = require "linli"
local p = linli.plugin()

-- The price is the museum's to say: the answer goes on in `priced`.
p:post("/tickets", function(call)
  local ask = linli.fetch {
    url = "http://museum.example/prices/" .. call.body.day,
    headers = { Authorization = "Bearer " .. linli.secret("museum_key") },
  }
  return call:await(ask, "priced", { day = call.body.day })
end)

p:answer("priced", function(call, answer, state)
  if not answer.ok or answer.status ~= 200 then
    call:fail("tickets/museum-closed")
  end
  local ticket = call.db.ticket:insert {
    visitor = call.resident.id, day = state.day, state = "unpaid",
    price_fen = answer.json.price_fen, made_at = call.now,
  }
  return 201, { id = ticket.id, price_fen = ticket.price_fen }
end)

local function own(call)
  local ticket = call.db.ticket:get(call.params.id)
  if not ticket or ticket.visitor ~= call.resident.id then
    call:fail("tickets/not-found")
  end
  return ticket
end

p:get("/tickets/:id", function(call)
  local ticket = own(call)
  return 200, { id = ticket.id, day = ticket.day, state = ticket.state }
end)

-- The payment is part of this call; what the app needs to pay it comes from
-- the provider, once this call has committed.
p:post("/tickets/:id/pay", function(call)
  local ticket = own(call)
  local payment = call:pay {
    amount_fen = ticket.price_fen, channel = "sim", title = "博物馆门票",
    subject = ticket.visitor, with = { ticket = ticket.id },
  }
  return call:await(linli.paid(payment.id), "payable")
end)

p:answer("payable", function(_, payment)
  return 200, { payment_id = payment.id, pay_params = payment.pay_params }
end)

-- Whenever a payment has come to something. A late or second one has been
-- refunded by the runtime: here is only what counts.
p:payment(function(call, payment)
  local ticket = call.db.ticket:get(payment.with.ticket)
  if payment.state ~= "paid" or not ticket or ticket.state == "paid" then
    return
  end
  call.db.ticket:patch(ticket.id, { state = "paid" })
  call:notify { to = ticket.visitor, template = "bought", key = ticket.id,
                with = { day = ticket.day, id = ticket.id } }
  call:job { run = "tell_museum", with = { ticket = ticket.id } }
end)

-- Nobody waits for this one: it is tried until the museum has taken it.
p:job("tell_museum", function(call, with)
  local ticket = call.db.ticket:get(with.ticket)
  if ticket then
    linli.log.info("sold for " .. ticket.day)
  end
end)

return p
