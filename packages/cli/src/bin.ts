#!/usr/bin/env node
import { keepCompiledCode } from './compile-cache.ts';

keepCompiledCode(import.meta.url);
const { main } = await import('./main.ts');
const { processTerminal } = await import('./terminal.ts');
process.exitCode = await main(process.argv.slice(2), processTerminal);
