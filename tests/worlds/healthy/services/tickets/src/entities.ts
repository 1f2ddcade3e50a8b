import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('tickets')
export class Ticket {
  @PrimaryColumn('uuid') id: string;
  @Column() ownerId: string;
  @Column({ nullable: true }) qrCodeKey?: string;
}

@Entity('transfers')
export class Transfer {
  @PrimaryColumn('uuid') id: string;
  @Column() ticketId: string;
  @Column() fromUserId: string;
  @Column() toUserId: string;
  @Column({ default: 'PENDING' }) status: 'PENDING' | 'DONE' | 'REFUSED';
}

@Entity('reservations')
export class Reservation {
  @PrimaryColumn('uuid') id: string;
  @Column() status: 'OPEN' | 'EXPIRED' | 'USED';
  @Column() expiresAt: Date;
}
