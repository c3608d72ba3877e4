-- quotes.lua: what a stay would cost (simulate), what one costs (quote).

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

-- A quote is not stored: its id says of which session and instant it is, and
-- a session's price at an instant does not change.
function M.quote(call)
    local session = sessions.of_path(call)
    if not sessions.OPEN[session.state] then
        call:fail("parking/session-ended")
    end
    local quote = sessions.price(session, call.now)
    quote.quote_id = string.format("%s.%d.%d", session.id, call.now,
        quote.due_fen)
    return 200, present(quote, call.now + QUOTE_MS)
end

return M
