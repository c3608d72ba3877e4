-- quote.lua: POST /quote under nginx; the pricing is ../quote/price.lua.

local cjson = require "cjson.safe"
local price = require "price"

ngx.req.read_body()
local quote = price.quote(cjson.decode(ngx.req.get_body_data() or ""))
if not quote then
    return ngx.exit(422)
end
local text = cjson.encode(quote)
ngx.header.content_type = "application/json"
ngx.header.content_length = #text
ngx.print(text)
