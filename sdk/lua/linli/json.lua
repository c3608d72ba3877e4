-- linli.json: JSON text to values and back, as bodies are read and written.
local core = ...

return { encode = core.json_encode, decode = core.json_decode }
