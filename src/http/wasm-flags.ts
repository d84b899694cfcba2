import v8 from 'node:v8';

// Has to run before undici is loaded: optimising its WebAssembly parser costs more than one exchange will ever gain
// from it.
v8.setFlagsFromString('--liftoff-only');
