import { createServer } from 'node:http';

/** The least a Node program can do to answer: what `ready` is compared with. */
const answer = '{"jsonrpc":"2.0","id":1,"result":"0x7a69"}';
createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end(answer);
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
