local linli = require "linli"

local p = linli.plugin()

-- `native` holds the functions that plugin.json declares. Arguments are
-- checked against their types before C is called; NULL arrives as nil.
p:post("/quote", function(call)
    local body = call.body
    local rule = native.fee_rule(body.kind)
        or call:fail("property-fee/unknown-kind")
    return 200, {
        rule = rule,
        fee_fen = native.fee_fen(body.kind, body.area_dm2, body.months),
    }
end)

return p
