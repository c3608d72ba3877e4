-- paying.lua: sums that are paid through the plugin. What a sum is for is a
-- kind; its file says what acceptance and expiry do (paying.kind). Here: that
-- each payment settles once, what is counted, and what goes back.

local linli = require "linli"
local record = require "record"
local texts = require "texts"

local M = {}

-- A payment is accepted strictly before it is so old, unless it says so.
M.WINDOW_MS = 5 * linli.minute

local CHANNEL_DEFAULT = "wechat"

---@class parking.Payment  as kept
---@field id string           the runtime's
---@field kind string
---@field of string           id of what it is for
---@field state "pending"|"paid"|"expired"|"failed"
---@field amount_fen integer
---@field refunded_fen integer
---@field paid_at integer?
---@field more table          what its kind remembers

---@class parking.PaymentKind
---@field accepted fun(call, payment): integer  it is paid: what of it is owed
---@field released fun(call, payment)           it never will be

---@type table<string, parking.PaymentKind>
local kinds = {}

---@param name string
---@param rules parking.PaymentKind
function M.kind(name, rules)
    kinds[name] = rules
end

-- -- giving back ----------------------------------------------------------

---@param call linli.Call
---@param payment parking.Payment
---@param amount_fen integer
---@param reason string
local function refund(call, payment, amount_fen, reason)
    local count = (payment.refunds or 0) + 1
    call:refund { payment = payment.id, amount_fen = amount_fen,
        reason = reason, key = "refund-" .. count }
    return (call.db.payment:patch(payment.id, { refunds = count,
        refunded_fen = payment.refunded_fen + amount_fen }))
end

-- Gives back so much of what was paid for a thing, the last payment first.
---@param call linli.Call
---@param of string
---@param amount_fen integer
---@param reason string
function M.give_back(call, of, amount_fen, reason)
    local paid = call.db.payment:list { index = "by_of", eq = { of },
        descending = true, limit = 100 }
    for _, payment in ipairs(paid) do
        local left_fen = payment.state == "paid"
            and payment.amount_fen - payment.refunded_fen or 0
        local part_fen = math.min(amount_fen, left_fen)
        if part_fen > 0 then
            refund(call, payment, part_fen, reason)
            amount_fen = amount_fen - part_fen
        end
    end
end

-- -- settling -------------------------------------------------------------

local function accept(call, payment, at)
    payment = call.db.payment:patch(payment.id,
        { state = "paid", paid_at = at })
    local owed_fen = kinds[payment.kind].accepted(call, payment)
    local kept_fen = math.min(owed_fen, payment.amount_fen)
    if kept_fen > 0 then
        record.count(call, "parking.gmv_fen", payment.id, at, kept_fen)
    end
    if kept_fen < payment.amount_fen then
        refund(call, payment, payment.amount_fen - kept_fen, texts.OVERPAID)
    end
end

-- What the runtime says of a payment. It may say so again: only what was
-- pending settles. Refunds are the runtime's from when they are asked for.
---@param call linli.Call
---@param told table
function M.settled(call, told)
    local payment = call.db.payment:get(told.id)
        or error("a payment that was never asked for: " .. told.id)
    if payment.state ~= "pending" then
        return
    end
    if told.state == "paid" then
        accept(call, payment, told.paid_at)
    elseif told.state == "expired" or told.state == "failed" then
        payment = call.db.payment:patch(payment.id, { state = told.state })
        kinds[payment.kind].released(call, payment)
    end
end

-- -- asking ---------------------------------------------------------------

local function keep(call, id, what)
    return call.db.payment:insert {
        id = id,
        kind = what.kind,
        of = what.of,
        state = "pending",
        amount_fen = what.amount_fen,
        refunded_fen = 0,
        at = call.now,
        pay_by = what.pay_by or call.now + M.WINDOW_MS,
        resident = call.resident and call.resident.id,
        more = what.more or {},
    }
end

local function channel_of(call)
    return call.body and call.body.channel or linli.config.channel
        or CHANNEL_DEFAULT
end

-- Asks for a sum; the payment as kept. Of nothing, nobody is asked.
---@param call linli.Call
---@param what {kind: string, of: string, amount_fen: integer, title: string,
---            pay_by: integer?, more: table?}
---@return parking.Payment
function M.begin(call, what)
    if what.amount_fen == 0 then
        return keep(call, nil, what)
    end
    local done, asked = pcall(call.pay, call, {
        amount_fen = what.amount_fen,
        title = what.title,
        channel = channel_of(call),
        pay_by = what.pay_by or call.now + M.WINDOW_MS,
        subject = call.resident and call.resident.id,
        with = { kind = what.kind, of = what.of },
    })
    if not done and tostring(asked):find("payments/no-adapter", 1, true) then
        call:fail("parking/channel-unknown", channel_of(call))
    elseif not done then
        error(asked, 0)
    end
    return keep(call, asked.id, what)
end

-- The answer of a route that has asked for a sum: what `view` gives, and how
-- to pay it as soon as the provider has said so. A sum of nothing is paid by
-- this.
---@param call linli.Call
---@param payment parking.Payment
---@param view fun(): table
function M.answer(call, payment, view)
    local nothing = payment.amount_fen == 0
    if nothing then
        accept(call, payment, call.now)
    end
    local body = view()
    body.payment_id = payment.id
    body.amount_fen = payment.amount_fen
    body.pay_by = linli.time.format(payment.pay_by)
    if nothing then
        return 201, body
    end
    return call:await(linli.paid(payment.id), "paid_params", body)
end

-- The provider has said how to pay, or that it will not take the sum.
---@param call linli.Call
---@param told table
---@param body table
function M.params(call, told, body)
    if told.state == "failed" then
        call:fail("parking/payment-refused")
    end
    body.pay_params = told.pay_params
    return 201, body
end

return M
