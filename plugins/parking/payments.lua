-- payments.lua: a stay is paid (spec/parking.md, P24 to P26). The rules of
-- payments in general are paying.lua's.

local arrears = require "arrears"
local coupons = require "coupons"
local gates = require "gates"
local linli = require "linli"
local paying = require "paying"
local quotes = require "quotes"
local record = require "record"
local sessions = require "sessions"
local tariff = require "tariff"
local texts = require "texts"

local M = {}

-- A car that was held so long ago is taken to stand at that gate still, when
-- the payment is told of.
local WAITS_MS = 5 * linli.minute

-- -- asking ---------------------------------------------------------------

-- POST /sessions/{id}/payments. A sum of nothing is only worth a payment if
-- coupons made it so: what is free anyway buys no grace.
function M.create(call)
    local session = sessions.of_path(call)
    local quote, found, at =
        quotes.held_to(call, session, call.body.quote_id)
    if quote.due_fen == 0
        and sessions.price(call, session, at).due_fen == 0 then
        call:fail("parking/nothing-due")
    end
    local payment = paying.begin(call, {
        kind = "stay",
        of = session.id,
        amount_fen = quote.due_fen,
        title = texts.title "stay",
        more = { at = at, coupons = linli.array(coupons.terms(found)) },
    })
    coupons.claim(call, found, payment.id)
    return paying.answer(call, payment, function()
        return { session_id = session.id }
    end)
end

-- -- being paid -----------------------------------------------------------

-- A car that was held at a gate a moment ago may go. If no camera tells of
-- it any more, its next entry says that it had left (P26).
local function let_out(call, session, accepted_at)
    local exit = session.exit
    local waits = exit and not exit.offline
        and call.now - exit.at <= WAITS_MS
    if waits then
        gates.command(call, exit.gate, "open",
            { reason = "paid", session = session })
    end
    return waits and { gate = exit.gate, at = accepted_at } or nil
end

local function grace_end(session, payment)
    local grace = session.tariff.exit_grace_minutes
        or tariff.DEFAULTS.exit_grace_minutes
    return math.tointeger(payment.paid_at + grace * linli.minute)
end

-- The stay is covered up to the instant of its quote, and may end within the
-- grace that begins with the acceptance.
local function cover(call, session, payment)
    session = call.db.session:patch(session.id, {
        state = "paid",
        leave_before = grace_end(session, payment),
        let_out = let_out(call, session, payment.paid_at),
    })
    call:timer { at = session.leave_before + 1, run = "grace_over",
        with = { id = session.id }, key = sessions.grace_key(session),
        subject = session.resident }
end

-- What is still owed is worked out anew: another may have paid meanwhile, or
-- the stay may have ended in arrears. Then it owes what it cost; but an end
-- within the grace costs no more than the quote did.
local function owed_fen(call, session, payment)
    local at = payment.more.at
    if not sessions.OPEN[session.state] then
        local left_at = session.left_at
        local late = left_at > grace_end(session, payment)
        at = late and left_at or math.min(at, left_at)
    end
    return sessions.unpaid_fen(call, session, at, payment.more.coupons)
end

local function accepted(call, payment)
    local session, more = call.db.session:get(payment.of), payment.more
    local open = session and sessions.OPEN[session.state]
    local debt = session and not open and arrears.owed(call, session)
    local owed = (open or debt) and owed_fen(call, session, payment) or 0
    local nothing = owed == 0 and payment.amount_fen > 0
    if nothing or not (open or debt) then
        coupons.release(call, more.coupons)
        return 0
    end
    coupons.use(call, more.coupons, session)
    local used = session.coupons or linli.array()
    table.move(more.coupons, 1, #more.coupons, #used + 1, used)
    local paid_fen = math.min(owed, payment.amount_fen)
    session = call.db.session:patch(session.id, { coupons = used,
        paid_fen = session.paid_fen + paid_fen })
    if open then
        cover(call, session, payment)
    else
        arrears.settle(call, session, owed - paid_fen)
    end
    return owed
end

paying.kind("stay", {
    accepted = accepted,
    released = function(call, payment)
        coupons.release(call, payment.more.coupons)
    end,
})

-- POST /sessions/{id}/refund: a part of what was paid for a stay that is over
-- goes back, because somebody says so.
function M.refund(call)
    local session, body = sessions.of_path(call), call.body
    local amount_fen = math.tointeger(body.amount_fen)
    local back_fen = (session.refunded_fen or 0) + amount_fen
    if sessions.OPEN[session.state] then
        call:fail("parking/session-open")
    elseif back_fen > session.paid_fen then
        call:fail("parking/refund-too-much")
    end
    paying.give_back(call, session.id, amount_fen, texts.REFUND)
    session = call.db.session:patch(session.id, { refunded_fen = back_fen })
    record.audit(call, "refund", { session_id = session.id,
        amount_fen = amount_fen, reason = body.reason })
    return 200, sessions.view(call, session)
end

-- The timer at the end of the grace, which is inclusive: the car is inside
-- as if it had only paid a part.
---@param call linli.Call
---@param with {id: string}
function M.grace_over(call, with)
    local session = call.db.session:get(with.id)
    if session and session.state == "paid"
        and call.now > session.leave_before then
        call.db.session:patch(session.id, { state = "inside" })
    end
end

return M
