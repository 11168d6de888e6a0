import { render } from 'preact';
import { Root } from './root.tsx';
import { takeToken } from './token.ts';
import './style/tokens.css';
import './style/base.css';
import './style/layout.css';
import './style/parts.css';
import './style/guests.css';
import './style/evm.css';
import './style/snapshots.css';
import './style/terminal.css';

const element = document.getElementById('console');
if (element !== null) render(<Root token={takeToken(window)} />, element);
