-- test/tap.lua: prints TAP 13. A test is a name and a function that raises.

local M = { count = 0, failed = 0 }

function M.test(name, body)
    M.count = M.count + 1
    local ok, why = pcall(body)
    print((ok and "ok " or "not ok ") .. M.count .. " - " .. name)
    if not ok then
        M.failed = M.failed + 1
        print((tostring(why):gsub("^", "# "):gsub("\n", "\n# ")))
    end
end

function M.equal(got, wanted, what)
    if got ~= wanted or math.type(got) ~= math.type(wanted) then
        error(string.format("%s: got %s, wanted %s", what, tostring(got),
            tostring(wanted)), 2)
    end
end

function M.check(holds, what)
    if not holds then
        error(what, 2)
    end
end

function M.finish()
    print("1.." .. M.count)
    os.exit(M.failed == 0 and M.count > 0)
end

return M
