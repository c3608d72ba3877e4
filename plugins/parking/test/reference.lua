-- test/reference.lua: the price of a stay, slow and plain.
--
-- A parking meter that ticks. At each tick the meter asks, in this order:
-- is the pass valid, are deducted free minutes left, is time of a coupon
-- left, is a paid block running? If none of these, a new block starts and
-- its fee goes into the bucket of its window. Buckets are capped, added up,
-- and money coupons taken off. Shares no code with tariff.lua.

local M = {}

local MINUTE = 60000

local function coupon_sums(coupons)
    local time_ms, money_fen = 0, 0
    for _, c in ipairs(coupons or {}) do
        if c.kind == "time" then
            time_ms = time_ms + c.minutes * MINUTE
        else
            money_fen = money_fen + c.amount_fen
        end
    end
    return time_ms, money_fen
end

-- Returns the total, the gross and the buckets (window name to capped sum).
-- Every instant of the stay and of the pass must be a multiple of `tick`
-- apart, and `tick` must divide a minute.
function M.total(tariff, stay, day_of, tick)
    for _, text in ipairs(tariff.special_plates or {}) do
        if stay.plate and stay.plate:find(text, 1, true) then
            return 0, 0, {}
        end
    end

    local has_pass = stay.pass_until and stay.pass_until > stay.entered_at
    local free_ms = (tariff.free_minutes or 0) * MINUTE
    if has_pass and not tariff.free_after_pass_expiry then
        free_ms = 0
    end

    local outside_pass_ms = 0
    for t = stay.entered_at, stay.left_at - 1, tick do
        if not (has_pass and t < stay.pass_until) then
            outside_pass_ms = outside_pass_ms + tick
        end
    end
    if outside_pass_ms <= free_ms then
        return 0, 0, {}
    end

    local time_ms, money_fen = coupon_sums(stay.coupons)
    local deduct_ms = tariff.free_mode == "deduct" and free_ms or 0
    local block_ms, blocks, gross = 0, 0, 0
    local billing_since
    local buckets = {}
    for t = stay.entered_at, stay.left_at - 1, tick do
        if has_pass and t < stay.pass_until then
            goto continue
        elseif deduct_ms > 0 then
            deduct_ms = deduct_ms - tick
            goto continue
        elseif time_ms > 0 then
            time_ms = time_ms - tick
            goto continue
        end
        if block_ms == 0 then
            billing_since = billing_since or t
            blocks = blocks + 1
            local block = blocks == 1 and tariff.first or tariff.next
            local bucket = day_of(t)
            if tariff.cap and tariff.cap.window == "rolling_24h" then
                bucket = (t - billing_since) // (24 * 60 * MINUTE)
            end
            buckets[bucket] = (buckets[bucket] or 0) + block.fee_fen
            gross = gross + block.fee_fen
            block_ms = block.minutes * MINUTE
        end
        block_ms = block_ms - tick
        ::continue::
    end

    local total = 0
    for bucket, sum in pairs(buckets) do
        local capped = tariff.cap and math.min(sum, tariff.cap.fee_fen) or sum
        buckets[bucket] = capped
        total = total + capped
    end
    return math.max(0, total - money_fen), gross, buckets
end

return M
