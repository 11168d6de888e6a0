#!/usr/bin/env node
import { keepCompiledCode } from './compile-cache.ts';

keepCompiledCode(import.meta.url);
const { anvil } = await import('./anvil.ts');
const { processTerminal } = await import('./terminal.ts');
process.exitCode = await anvil(process.argv.slice(2), processTerminal);
