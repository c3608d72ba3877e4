-- quotes.lua: what a stay would cost (simulate), what one costs (quote).

local arrears = require "arrears"
local coupons = require "coupons"
local linli = require "linli"
local sessions = require "sessions"
local stay_reader = require "stay"
local tariff = require "tariff"
local tariffs = require "tariffs"

local M = {}

-- A quote is an offer for so long (T16).
local QUOTE_MS = 5 * linli.minute

-- The tariff to price with: the one in the body, so that an operator can try
-- prices before any lot has them, or the lot's own.
local function tariff_of(call)
    if call.body.tariff then
        return call.body.tariff
    end
    local kept = tariffs.current(call, call.params.lot)
        or call:fail("parking/lot-unknown")
    return kept.tariff
end

-- The quote as it leaves: instants become RFC 3339 in the community's zone.
-- A block begins where the one before it ended: each instant is formatted
-- once.
local function present(quote, expires_at)
    local texts = {}
    local function text(at)
        local known = texts[at]
        if not known then
            known = linli.time.format(at)
            texts[at] = known
        end
        return known
    end
    for _, line in ipairs(quote.lines) do
        line.from, line.to = text(line.from), text(line.to)
    end
    quote.lines = linli.array(quote.lines)
    quote.expires_at = text(expires_at)
    return quote
end

function M.simulate(call)
    local rules = tariff_of(call)
    local stay, code, detail = stay_reader.read(call.body, linli.time.parse)
    if not stay then
        call:fail(code, detail)
    end
    local quote = tariff.quote(rules, stay, linli.time)
    return 200, present(quote, call.now + QUOTE_MS)
end

-- A quote is not stored. Its id says of which session, instant, sum and
-- coupons it is; the price is worked out again when it is paid (P25), so an
-- id that somebody makes up is worth what the same quote would have been.
local function id_of(session, at, due_fen, coupon_ids)
    local parts = { session.id, at, due_fen }
    return table.concat(table.move(coupon_ids, 1, #coupon_ids, 4, parts), ".")
end

---@class parking.Offer  a quote's id, read
---@field session_id string
---@field at integer
---@field due_fen integer
---@field coupon_ids string[]

---@param id string
---@return parking.Offer?
local function read_id(id)
    local parts = {}
    for part in id:gmatch "[^.]+" do
        parts[#parts + 1] = part
    end
    local at = #(parts[2] or "") <= 18 and math.tointeger(parts[2])
    local due_fen = #(parts[3] or "") <= 18 and math.tointeger(parts[3])
    if not at or not due_fen then
        return nil
    end
    return { session_id = parts[1], at = at, due_fen = due_fen,
        coupon_ids = table.move(parts, 4, #parts, 1, {}) }
end

-- Open sessions are priced as of now, one that left owing as of then.
local function instant_of(call, session, at)
    if sessions.OPEN[session.state] then
        return at
    elseif not arrears.owed(call, session) then
        call:fail("parking/session-ended")
    end
    return session.left_at
end

function M.quote(call)
    local session = sessions.of_path(call)
    local ids = (call.body or {}).coupon_ids or {}
    local found = coupons.free(call, ids, session)
    local quote = sessions.price(call, session,
        instant_of(call, session, call.now), coupons.terms(found))
    quote.quote_id = id_of(session, call.now, quote.due_fen, ids)
    return 200, present(quote, call.now + QUOTE_MS)
end

-- The quote of that id, for this session, if it still holds.
---@param call linli.Call
---@param session table
---@param id string
---@return parking.Quote quote, table[] coupons, integer at
function M.held_to(call, session, id)
    local offer = read_id(id)
    if not offer or offer.session_id ~= session.id or offer.at > call.now then
        call:fail("parking/quote-unknown")
    elseif call.now >= offer.at + QUOTE_MS then
        call:fail("parking/quote-expired")
    end
    local at = instant_of(call, session, offer.at)
    local found = coupons.free(call, offer.coupon_ids, session)
    local quote =
        sessions.price(call, session, at, coupons.terms(found))
    if quote.due_fen ~= offer.due_fen then
        call:fail("parking/quote-stale")
    end
    return quote, found, at
end

return M
