import v8 from 'node:v8';

// Has to run before undici is loaded: optimising its WebAssembly parser takes more time than it saves in one run.
v8.setFlagsFromString('--liftoff-only');
